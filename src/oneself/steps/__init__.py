"""What actions share over an open transaction: create a user, add an account, open a session."""
