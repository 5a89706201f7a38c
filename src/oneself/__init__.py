"""Oneself: sign people in with outside providers, link their accounts, keep the tokens safe and fresh."""

__version__ = "0.1.0"
