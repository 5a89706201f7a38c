"""The form in which gauges travel between workers and onto the page."""

Gauges = dict[tuple[str, str], float]
"""Gauges by name and the value of their label (empty where there is none)."""
