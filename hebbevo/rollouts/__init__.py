"""The lifetime loop, and hooks into it."""
