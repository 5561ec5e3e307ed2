"""Cases of a tool: calls with the outcome that is right, kept with the tool and run whenever somebody wants to know."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents_core.actions import tools
from agents_core.actions.mock_agent import MockAgent
from agents_core.errors import InvalidInput, NotFound, Refused
from agents_core.models import CaseStatus, Expectation, Tool, ToolCase, ToolVersion
from agents_core.models.pipeline import storable
from agents_core.sandbox.base import SandboxOutcome
from agents_core.tools.execute import as_text, cut_text

MOST_CASES = 200
"""Of one tool."""
LONGEST_NAME = 200
_EXPECTED_CHARS = 100_000
_GOT_CHARS = 2_000
_OF_THE_RUN = ("status", "got", "ran_ms", "ran_at", "ran_version")
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
JSON_TYPES = tuple(_JSON_TYPES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be kept of a case: see ``ToolCase``."""

    name: str
    arguments: dict[str, Any]
    expectation: str = Expectation.RETURNS
    expected: Any = None

    def checked(self) -> "Wanted":
        """The same without what the database cannot hold. Raises ``InvalidInput``, whose message says what to write."""
        name = " ".join(str(storable(self.name)).split())
        if not name or len(name) > LONGEST_NAME:
            raise InvalidInput(f"Give the case a name of 1 to {LONGEST_NAME} characters.")
        if not isinstance(self.arguments, dict):
            raise InvalidInput("Write the arguments as a JSON object with one entry for each.")
        if self.expectation not in Expectation.values:
            raise InvalidInput(f"Choose what is expected: {', '.join(Expectation.values)}.")
        if self.expectation == Expectation.TYPE and self.expected not in JSON_TYPES:
            raise InvalidInput(f"Name the type of the result: {', '.join(JSON_TYPES)}.")
        if self.expectation in {Expectation.CONTAINS, Expectation.RAISES} and not isinstance(self.expected, str):
            raise InvalidInput("What the outcome contains has to be a text.")
        expected = None if self.expectation == Expectation.RETURNS else storable(self.expected)
        if len(json.dumps([expected, self.arguments])) > _EXPECTED_CHARS:
            raise InvalidInput(f"Arguments and expectation may have {_EXPECTED_CHARS:,} characters as JSON: use less.")
        return Wanted(name, storable(self.arguments), self.expectation, expected)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call gave what was expected, and what it gave, as text of at most 2,000 characters."""

    passed: bool
    got: str


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a case."""

    name: str
    verdict: Verdict
    outcome: SandboxOutcome


def save(tool_id: str, wanted: Wanted, case_id: int | None = None) -> ToolCase:
    """The case, new or changed; a changed one has not run yet.

    Raises ``NotFound``, ``InvalidInput``, and ``Refused`` when another has that name or there are too many.
    """
    about = wanted.checked()
    fields = {"arguments": about.arguments, "expectation": about.expectation, "expected": about.expected}
    with transaction.atomic():
        tool = tools.get(tool_id)
        case = find(tool_id, case_id) if case_id else ToolCase(tool=tool)
        if not case_id and tool.cases.count() >= MOST_CASES:
            raise Refused(f"A tool may have {MOST_CASES} cases: delete one first.")
        for name, value in {**fields, "name": about.name, "status": None, "got": ""}.items():
            setattr(case, name, value)
        _save(case)
    return case


def _save(case: ToolCase) -> None:
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError:
        raise Refused(f"The tool has a case named {case.name!r}: choose another name.") from None


def find(tool_id: str, case_id: int) -> ToolCase:
    """Raises ``NotFound``, also for a case of another tool."""
    case = ToolCase.objects.filter(tool=tool_id, id=case_id).first()
    if case is None:
        raise NotFound("The tool has no such case any more.")
    return case


def delete(tool_id: str, case_id: int) -> None:
    """Raises ``NotFound``."""
    find(tool_id, case_id).delete()


def proposed(outcome: SandboxOutcome) -> tuple[str, Any]:
    """The expectation, and what is expected, that ``outcome`` meets most exactly."""
    if outcome.status == "ok":
        return Expectation.EQUALS, storable(outcome.value)
    return Expectation.RAISES, storable(outcome.error.rpartition(" (line ")[0] or outcome.error)


def verdict(case: ToolCase | Wanted, outcome: SandboxOutcome) -> Verdict:
    """Whether ``outcome`` is what ``case`` expects. Stopped at a limit is never right."""
    value = storable(outcome.value)
    got = as_text(value) if outcome.status == "ok" else str(storable(outcome.error))
    return Verdict(_meets(case, outcome, value, got), cut_text(got, _GOT_CHARS))


def _meets(case: ToolCase | Wanted, outcome: SandboxOutcome, value: Any, got: str) -> bool:
    expected: Any = case.expected
    if case.expectation == Expectation.RAISES:
        return outcome.status == "error" and expected in got
    if outcome.status != "ok":
        return False
    if case.expectation == Expectation.EQUALS:
        return same_json(value, expected)
    if case.expectation == Expectation.CONTAINS:
        return expected in got
    return case.expectation == Expectation.RETURNS or is_of_type(value, expected)


def same_json(one: Any, other: Any) -> bool:
    """Equal as JSON: ``true`` is not 1, but 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def is_of_type(value: Any, name: str) -> bool:
    """Whether JSON data is of the JSON type ``name``."""
    return isinstance(value, _JSON_TYPES[name]) and (not isinstance(value, bool) or name == "boolean")


async def run(case: ToolCase | Wanted, fields: Mapping[str, Any], of: Tool | None = None) -> Ran:
    """The case, called by the mock agent, on a tool of which ``fields`` and ``of`` are as ``tools.run_once`` takes them. Raises as
    that does."""
    outcome = await tools.run_once(fields, case.arguments, {}, of=of, agent=MockAgent().told())
    return Ran(case.name, verdict(case, outcome), outcome)


async def run_all(cases: Iterable[ToolCase | Wanted], fields: Mapping[str, Any], of: Tool | None = None) -> list[Ran]:
    """As ``run``, in the order of ``cases``, as many at once as the sandbox takes."""
    return list(await asyncio.gather(*(run(case, fields, of) for case in cases)))


def remember(case: ToolCase, ran: Ran, source: str) -> None:
    """Keeps the outcome with the case, and the version that ran where ``source`` is the saved one."""
    is_saved = Tool.objects.filter(id=case.tool_id, source_code=source).exists()
    case.status = CaseStatus.PASSED if ran.verdict.passed else CaseStatus.FAILED
    case.got, case.ran_ms, case.ran_at = ran.verdict.got, ran.outcome.duration_ms, timezone.now()
    case.ran_version = newest_version(case.tool_id) if is_saved else None
    ToolCase.objects.filter(id=case.id).update(**{name: getattr(case, name) for name in _OF_THE_RUN})


def newest_version(tool_id: str) -> int | None:
    """The number of the tool as it is now."""
    return ToolVersion.objects.filter(tool=tool_id).values_list("number", flat=True).last()
