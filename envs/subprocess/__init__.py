"""Environments that hold the GIL, stepped by processes of their own."""
