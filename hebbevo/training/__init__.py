"""Runs of evolution: the loop, its directory, what it reports."""
