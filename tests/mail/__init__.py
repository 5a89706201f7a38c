"""Mail: what letters say, how they leave, and that each leaves once; over SMTP into a catcher of the tests' own."""
