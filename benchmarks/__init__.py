"""How fast the server is on this machine, beside what its database alone can do: `python -m benchmarks`."""
