"""The lifetime loop, its results, and hooks between the parts of a step."""
