"""Stack Auth's dialect: its routes, its words and its headers, over the actions."""
