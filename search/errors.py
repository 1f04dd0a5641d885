"""The error classes of the search room."""


class SearchError(ValueError):
    """Refuse input to a searcher, in one line: what, where, the value got, the remedy."""


class SearchFailure(RuntimeError):
    """Report that a search cannot go on: its own arithmetic left the finite numbers."""
