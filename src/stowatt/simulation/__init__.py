"""Communities, tariffs and strategies: who would offer what."""
