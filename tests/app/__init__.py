"""What is built and opened, and what works in the background."""
