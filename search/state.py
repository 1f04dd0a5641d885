"""The saved state of a searcher: a flat dictionary of arrays, checked before it is loaded."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbevo.errors import SearchError

State = dict[str, NDArray[Any]]


def check_state(state: Mapping[str, NDArray[Any]], like: Mapping[str, NDArray[Any]], owner: str) -> None:
    """Check that `state` has the names, shapes and dtypes of `like`, the owner's own state.

    Raises:
        SearchError: a name is missing or unknown, or an array has another shape or dtype.
    """
    missing, unknown = sorted(set(like) - set(state)), sorted(set(state) - set(like))
    if missing or unknown:
        raise SearchError(
            f"the state is not one of {owner}: missing {missing}, unknown {unknown}; "
            "resume with the algorithm and optimizer it was saved under"
        )
    for name, expected in like.items():
        got = np.asarray(state[name])
        if (got.shape, got.dtype) != (expected.shape, expected.dtype):
            raise SearchError(
                f"the state of {owner} holds {name} as {got.dtype}{list(got.shape)}, expected "
                f"{expected.dtype}{list(expected.shape)}; resume with the settings it was saved under"
            )


def check_same_seed(saved: int, own: int) -> None:
    """Check that a state was saved under the searcher's own run seed.

    Raises:
        SearchError: it was another; the run would continue with other random numbers.
    """
    if saved != own:
        raise SearchError(f"the state was saved under run seed {saved}, not {own}; resume with that seed")
