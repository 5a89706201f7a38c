"""The settings: each source, each refusal, and that example and documentation stay true."""
