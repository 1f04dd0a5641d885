"""Videos and pictures of lifetimes."""
