"""The only place that builds things: settings become a runtime, a runtime becomes the ASGI app."""
