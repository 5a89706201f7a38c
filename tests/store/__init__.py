"""The store: the seam over both engines first, then each noun, then the races."""
