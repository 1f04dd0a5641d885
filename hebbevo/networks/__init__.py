"""Plastic networks: layout of a genome, normalisers, encoder, and the back ends numba, torch and Triton."""
