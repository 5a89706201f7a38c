"""The tests, and the rigs they stand on: PostgreSQL, a browser, Node, a server process."""
