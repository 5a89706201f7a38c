"""The outside identity providers as data: one file each, with no network, clock or settings."""
