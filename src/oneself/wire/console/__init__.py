"""The server's own pages: in development a small application that signs in and links, else a bare landing page."""
