"""The search room: algorithms that propose genomes and learn from fitness, and executors that spread work.

Nothing here knows of networks or environments. A searcher of your own is one class (see `searcher`) and one
entry in `SEARCHERS`.
"""

from hebbevo.errors import SearchError, SearchFailure, unknown
from hebbevo.search.config import SearchConfig
from hebbevo.search.evotorch_config import CEMConfig, CMAESConfig, PGPEConfig, SNESConfig, XNESConfig
from hebbevo.search.executor import Executor
from hebbevo.search.openai_es import OpenAIES, OpenAIESConfig
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

SEARCHERS: dict[str, type[SearchConfig]] = {
    "openai_es": OpenAIESConfig,
    "cma_es": CMAESConfig,
    "snes": SNESConfig,
    "pgpe": PGPEConfig,
    "xnes": XNESConfig,
    "cem": CEMConfig,
}


def config_class(name: str) -> type[SearchConfig]:
    """Return the config class registered under `name`.

    Raises:
        SearchError: there is none; the message names the nearest.
    """
    if name in SEARCHERS:
        return SEARCHERS[name]
    raise SearchError(unknown("search.algorithm", name, SEARCHERS))
