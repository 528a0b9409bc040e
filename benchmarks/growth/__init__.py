"""How the time to clear grows: with segments, with the ticks of the price grid, with windows."""
