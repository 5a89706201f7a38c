"""The vault in one process under virtual time: seeded interleavings of everything that can meet at one grant."""
