"""Perturbations of lifetimes: their settings, their registry, and the hooks that apply them."""
