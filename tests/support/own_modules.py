"""Modules of a user's own, taken away again: what a new process has not imported."""

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import gymnasium

from hebbevo import envs, search
from hebbevo.imports.records import SOURCES
from hebbevo.networks.encodings import ENCODINGS, encoding
from hebbevo.perturbations.catalogue import PERTURBATIONS
from hebbevo.rules import RULES
from hebbevo.studies import STUDIES

REGISTRIES: tuple[MutableMapping[str, Any], ...] = (
    RULES,
    ENCODINGS,
    envs.ENVIRONMENTS,
    PERTURBATIONS,
    search.SEARCHERS,
    STUDIES,
    gymnasium.registry,
)


@contextmanager
def fresh_process() -> Iterator[None]:
    """Forget afterwards what was imported and registered."""
    registered, path = [dict(registry) for registry in REGISTRIES], list(sys.path)
    try:
        yield
    finally:
        for registry, entries in zip(REGISTRIES, registered, strict=True):
            registry.clear()
            registry.update(entries)
        sys.path[:] = path
        for source in SOURCES.values():
            sys.modules.pop(source.path.stem, None)
        SOURCES.clear()
        encoding.cache_clear()
