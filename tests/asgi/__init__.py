"""What all faces stand on."""
