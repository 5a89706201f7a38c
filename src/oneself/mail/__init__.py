"""Mail to users: what letters say, and how they reach the mail server; nothing here knows the database."""
