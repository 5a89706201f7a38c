"""Processes that are killed at named points and at random, a history of what they acknowledged, and its checker."""
