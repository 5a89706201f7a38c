"""Law: pure functions over facts; no clock, no randomness, no database, no await."""
