"""Worlds in which the answer is drawn anew for every lifetime: only a life that learns can win."""
