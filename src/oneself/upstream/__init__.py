"""Hands to the providers: the only code that calls them."""
