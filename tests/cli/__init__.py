"""The operator's commands, as processes of their own."""
