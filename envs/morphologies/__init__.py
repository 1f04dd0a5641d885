"""Bodies of the robots, by name."""
