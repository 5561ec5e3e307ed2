"""Floor 1: names mapped to dotted paths, imported at first use, so that an absent package hurts nobody."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from agents_core.errors import NotFound, Unavailable


class Registry(Mapping[str, str]):
    """``name -> "package.module:Object"``; ``load(name)`` imports the object.

    Raises ``NotFound`` for an unknown name (listing the known ones) and ``Unavailable`` when the entry's
    own dependency is not installed (naming the package).
    """

    def __init__(self, noun: str, entries: Mapping[str, str]) -> None:
        self.noun = noun
        self._entries = dict(entries)

    def load(self, name: str) -> Any:
        try:
            module, _, attribute = self._entries[name].partition(":")
        except KeyError:
            raise NotFound(f"There is no {self.noun} named {name!r}. Known: {', '.join(sorted(self))}.") from None
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise Unavailable(
                f"The {self.noun} {name!r} needs the package {error.name!r}: install it and restart."
            ) from error

    def __getitem__(self, name: str) -> str:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
