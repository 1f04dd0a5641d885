"""Experiments: several arms, each evolved from several run seeds, and what may be concluded from them."""
