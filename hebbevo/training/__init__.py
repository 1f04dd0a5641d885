"""Runs of evolution: the loop, its directory, its reports."""
