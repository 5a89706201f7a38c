"""Other servers that the registries carry, run and measured beside ours: same database, provider, core and load."""
