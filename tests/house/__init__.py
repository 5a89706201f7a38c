"""The house rules as tests: what may import what, where SQL and the environment live, what files say."""
