"""The one error class of the search room."""


class SearchError(ValueError):
    """Refuse input to a searcher, in one line: what, where, the value got, the remedy."""
