"""Bad input: every route of both dialects, as the published descriptions name them, against real servers."""
