"""What the code of a person's tool gets besides its arguments: variables, packages, hosts; and what it may not give away."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from agents_core.tools.masking import Mask
from agents_core.tools.packages import PackageSet
from agents_core.tools.requirements import requirements_of
from agents_core.tools.schema import imported_modules


class Variable(NamedTuple):
    key: str
    value: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """``variables`` is ``os.environ`` of a call, ``mask`` hides the secrets among them."""

    variables: Mapping[str, str]
    mask: Mask
    packages: PackageSet
    hosts: tuple[str, ...] = ()


def environment(
    variables: Iterable[Variable], requirements: Iterable[Mapping[str, Any]] = (), hosts: Sequence[str] = ()
) -> Environment:
    """Of two variables of one name, the later holds. Raises ``BadRequirement``."""
    given = list(variables)
    return Environment(
        {one.key: one.value for one in given},
        Mask(one.value for one in given if one.secret),
        PackageSet(requirements_of(requirements)),
        tuple(hosts),
    )


def modules_in(folder: str) -> frozenset[str]:
    """The names that can be imported from a folder of packages; none where there is no such folder."""
    path = Path(folder)
    if not folder or not path.is_dir():
        return frozenset()
    names = (one.name.partition(".")[0] for one in path.iterdir() if one.suffix in {"", ".py", ".so"})
    return frozenset(name for name in names if name.isidentifier())


@lru_cache(256)
def preloaded(source: str, folder: str) -> tuple[str, ...]:
    """The modules of ``folder``, which never changes, that ``source`` imports."""
    if not folder:
        return ()
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(sorted({name for name, _ in imported_modules(module)} & modules_in(folder)))
