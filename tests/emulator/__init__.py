"""The emulated providers, held to the vendors' documentation and to OAuth clients that are not ours."""
