"""Dialect 1: the wire of Stytch's consumer API."""
