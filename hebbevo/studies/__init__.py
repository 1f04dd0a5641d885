"""Replays of evolved genomes under conditions that they never met."""
