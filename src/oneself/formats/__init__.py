"""Files of users in the formats of three sources: read row by row, and written. Nothing here knows a database."""
