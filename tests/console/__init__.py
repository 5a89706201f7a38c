"""The pages of the development server, in a browser and by hand-made requests."""
