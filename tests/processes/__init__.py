"""Real server processes over one database: what they share, what races between them, what a kill leaves."""
