"""What the database gives the same statements by itself: its own load tool, without a server in front."""
