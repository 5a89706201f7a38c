"""ASGI by hand, for every face and for the emulator: its names, its body, its lifespan, and a router of raw paths."""
