"""Videos of lifetimes."""
