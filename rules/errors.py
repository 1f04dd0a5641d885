"""The error that the rules room raises for bad input."""

from __future__ import annotations


class RuleError(ValueError):
    """A rule, sharing, distribution or genome that cannot be used; the message is one line and names the remedy."""
