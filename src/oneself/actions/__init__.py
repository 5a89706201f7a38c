"""Verbs: what anyone can ask of this server, one file per request of the domain."""
