"""The tests, and beside them the rigs they stand on: a PostgreSQL cluster, a browser, Node, a real server process."""
