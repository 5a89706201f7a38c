"""Faces: bytes in, bytes out. Each face parses, calls one action and renders; no rule about users lives here."""
