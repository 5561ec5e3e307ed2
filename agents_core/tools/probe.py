"""Property tests of a tool: calls made from its schema, until one breaks it; that one is then made as small as it can be."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents_core.conf import conf
from agents_core.sandbox.base import Limits, SandboxOutcome
from agents_core.tools.clues import Clues, plain

LIMITS = Limits(wall_s=2.0, cpu_s=2.0)
"""Of each call: a tool that takes longer for what a model may write is broken too."""
_MOST_CALLS = 100
_MOST_S = 20.0
_TYPE = re.compile(r"(\w+): ")
_LINE = re.compile(r"\(line (\d+)\)$")

Call = Callable[[dict[str, Any]], SandboxOutcome]


@dataclass(frozen=True, slots=True)
class CounterExample:
    """Arguments that the schema allows and that break the tool, and how."""

    arguments: dict[str, Any]
    outcome: SandboxOutcome


@dataclass(frozen=True, slots=True)
class Probed:
    """What a search gave. ``refused``: calls that the tool itself answered with an error, by ``raise``, which is its right."""

    calls: int
    refused: int
    took_s: float
    found: CounterExample | None


def probe(call: Call, parameters: Mapping[str, Any], clues: Clues, known: Sequence[Mapping[str, Any]] = ()) -> Probed:
    """Looks for a call, within 100 examples and 20 seconds, that ends in an error nobody raised on purpose, or at a limit.

    The texts and numbers of the source, and the calls whose arguments are ``known``, lead further into a tool than made-up ones: they
    are tried too.
    ``call`` runs the tool that the ``clues`` are of; what it raises ends the search. Takes a thread: it blocks until it is done.
    """
    from hypothesis import HealthCheck, Phase, configuration, find, settings
    from hypothesis.errors import NoSuchExample, Unsatisfiable

    from agents_core.tools.strategies import arguments

    configuration.set_hypothesis_home_dir(conf().home / "hypothesis")
    search = _Search(call, clues.raising, time.monotonic())
    how = settings(
        max_examples=_MOST_CALLS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        found = search.outcome_of(
            find(arguments(parameters, _literals(clues, known), known), search.breaks, settings=how)
        )
    except (NoSuchExample, Unsatisfiable):
        found = None
    if search.error:
        raise search.error
    return Probed(len(search.outcomes), search.refused, time.monotonic() - search.began_at, found)


@dataclass(slots=True)
class _Search:
    call: Call
    raising: frozenset[int]
    began_at: float
    outcomes: dict[str, SandboxOutcome] = field(default_factory=dict)
    kind: str = ""
    refused: int = 0
    error: Exception | None = None

    def breaks(self, arguments: dict[str, Any]) -> bool:
        """Whether the call fails, and as the first that failed: so what is made smaller stays the same fault."""
        key = json.dumps(arguments, sort_keys=True)
        if key not in self.outcomes:
            if self.error or time.monotonic() - self.began_at > _MOST_S:
                return False
            try:
                self.outcomes[key] = self.call(arguments)
            except Exception as error:  # the border to hypothesis, which would take it for an outcome
                self.error = error
                return False
            self.refused += self._is_refusal(self.outcomes[key])
        kind = self._fault(self.outcomes[key])
        self.kind = self.kind or kind
        return bool(kind) and kind == self.kind

    def outcome_of(self, arguments: dict[str, Any]) -> CounterExample:
        return CounterExample(arguments, self.outcomes[json.dumps(arguments, sort_keys=True)])

    def _is_refusal(self, outcome: SandboxOutcome) -> bool:
        line = _LINE.search(outcome.error)
        return outcome.status == "error" and line is not None and int(line[1]) in self.raising

    def _fault(self, outcome: SandboxOutcome) -> str:
        """The kind of the failure; empty where there is none."""
        if outcome.status == "ok" or self._is_refusal(outcome):
            return ""
        name = _TYPE.match(outcome.error)  # None where it is the sandbox that speaks, of a result too large.
        return name[1] if name else outcome.status


def _literals(clues: Clues, known: Iterable[Mapping[str, Any]]) -> set[str | int | float]:
    return set(clues.literals) | plain(value for arguments in known for value in arguments.values())
