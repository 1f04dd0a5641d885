"""The error that the rules room raises for bad input."""

from __future__ import annotations


class RuleError(ValueError):
    """A rule, sharing, distribution or genome that cannot be used; one line that names the remedy."""
