"""Algorithms that propose genomes and learn from fitness, and the protocol of executors that spread work.

Nothing here knows of networks or environments. A searcher of your own is one class (see `searcher`) and one
entry in `SEARCHERS`. Names are imported when they are first used, so that reading a config loads no algorithm.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from hebbevo.errors import SearchError, SearchFailure, unknown

if TYPE_CHECKING:
    from hebbevo.search.config import SearchConfig
    from hebbevo.search.evotorch_config import CEMConfig, CMAESConfig, PGPEConfig, SNESConfig, XNESConfig
    from hebbevo.search.executor import Executor
    from hebbevo.search.openai_es import OpenAIES
    from hebbevo.search.openai_es_config import OpenAIESConfig
    from hebbevo.search.searcher import MatrixProposals, Proposals, Searcher
    from hebbevo.search.state import State, check_state

__all__ = [
    "SEARCHERS",
    "CEMConfig",
    "CMAESConfig",
    "Executor",
    "MatrixProposals",
    "OpenAIES",
    "OpenAIESConfig",
    "PGPEConfig",
    "Proposals",
    "SNESConfig",
    "SearchConfig",
    "SearchError",
    "SearchFailure",
    "Searcher",
    "State",
    "XNESConfig",
    "check_state",
    "config_class",
]

SEARCHERS: dict[str, str | type[SearchConfig]] = {
    "openai_es": "hebbevo.search.openai_es_config:OpenAIESConfig",
    "cma_es": "hebbevo.search.evotorch_config:CMAESConfig",
    "snes": "hebbevo.search.evotorch_config:SNESConfig",
    "pgpe": "hebbevo.search.evotorch_config:PGPEConfig",
    "xnes": "hebbevo.search.evotorch_config:XNESConfig",
    "cem": "hebbevo.search.evotorch_config:CEMConfig",
}
"""`search.algorithm` -> the class of its settings, or ``module:Class``, imported when it is used."""

_MODULES = {
    "CEMConfig": "evotorch_config",
    "CMAESConfig": "evotorch_config",
    "Executor": "executor",
    "MatrixProposals": "searcher",
    "OpenAIES": "openai_es",
    "OpenAIESConfig": "openai_es_config",
    "PGPEConfig": "evotorch_config",
    "Proposals": "searcher",
    "SNESConfig": "evotorch_config",
    "SearchConfig": "config",
    "Searcher": "searcher",
    "State": "state",
    "XNESConfig": "evotorch_config",
    "check_state": "state",
}


def config_class(name: str) -> type[SearchConfig]:
    """Return the class of the settings of the algorithm `name`.

    Raises:
        SearchError: there is none; the message names the nearest.
    """
    if name not in SEARCHERS:
        raise SearchError(unknown("search.algorithm", name, SEARCHERS))
    entry = SEARCHERS[name]
    found: type[SearchConfig] = resolve_name(entry) if isinstance(entry, str) else entry
    return found


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = resolve_name(f"hebbevo.search.{_MODULES[name]}:{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
