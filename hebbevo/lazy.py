"""Values that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cache
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")


class LazyDict(MutableMapping[str, T]):
    """A dictionary that makes some of its values when they are first asked for.

    Args:
        made: values that exist already.
        makers: functions that make the others, by name; each is called once at most.
    """

    def __init__(
        self, made: Mapping[str, T] = MappingProxyType({}), *, makers: Mapping[str, Callable[[], T]]
    ) -> None:
        self._makers: dict[str, Callable[[], T]] = {}
        self.update(made)
        self._makers |= {name: cache(maker) for name, maker in makers.items()}

    def __getitem__(self, name: str) -> T:
        return self._makers[name]()

    def __setitem__(self, name: str, value: T) -> None:
        self._makers[name] = lambda: value

    def __delitem__(self, name: str) -> None:
        del self._makers[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
