"""The error of bad input."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the user gave cannot be used; the message is one line and names the remedy."""
