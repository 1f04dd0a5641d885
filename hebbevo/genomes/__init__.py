"""Genome files and the shipped genomes."""
