"""Environments that hold the GIL, stepped by other processes."""
