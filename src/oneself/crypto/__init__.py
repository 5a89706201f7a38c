"""Identifiers, secrets, seals, signatures and password hashes: pure computations, no state, no
clock, no network.

Randomness comes in as `random: Callable[[int], bytes]` (as `os.urandom`), time as int microseconds
since the epoch.
"""
