"""A sequence of simulated calls as an address holds it, ``weigh=heavy,pack!,send``: each with its result, ``!`` where it failed."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote, unquote

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from agents_core.errors import InvalidInput
from agents_core.models import Agent, Step, ToolCall, ToolCallStatus
from agents_core.runtime.simulation import SimulatedCall

LONGEST_CHARS = 4000
"""An address that is much longer does not reach every server."""
_RESULT_CHARS = 200


def written(calls: Iterable[SimulatedCall]) -> str:
    """The calls as ``read`` takes them."""
    return ",".join(_written(call) for call in calls)


def _written(call: SimulatedCall) -> str:
    result = "" if call.result is None else f"={quote(call.result, safe='', errors='replace')}"
    return f"{quote(call.name, safe='', errors='replace')}{'!' if call.failed else ''}{result}"


def read(text: str) -> list[SimulatedCall]:
    """The calls that an address holds. Raises ``InvalidInput`` for more than a page can bear."""
    if len(text) > LONGEST_CHARS:
        raise InvalidInput(
            _("The calls take more than {most:,} characters: begin anew with fewer of them.").format(most=LONGEST_CHARS)
        )
    return [_read(each) for each in text.split(",") if each]


def _read(text: str) -> SimulatedCall:
    name, given, result = text.partition("=")
    failed = name.endswith("!")
    return SimulatedCall(unquote(name.removesuffix("!")), unquote(result) if given else None, failed)


def newest_calls(agent: Agent) -> list[SimulatedCall]:
    """The calls of the newest run in which the agent called a tool, as many as an address holds; a long result counts as one that no
    rule names. Empty when it never called one."""
    calling = Exists(ToolCall.objects.filter(step=OuterRef("pk")))
    newest = Step.objects.filter(calling, agent=agent).order_by("-number").values_list("run", flat=True).first()
    rows = ToolCall.objects.filter(step__run=newest).order_by("step__number", "position") if newest else ()
    return _fitting([_of(row) for row in rows])


def _of(row: ToolCall) -> SimulatedCall:
    result = row.result if row.result is not None and len(row.result) <= _RESULT_CHARS else None
    # A call that was refused took no time; the simulation refuses it by itself.
    failed = row.status in (ToolCallStatus.ERROR, ToolCallStatus.INTERRUPTED) and bool(row.duration_ms)
    return SimulatedCall(row.name, result, failed)


def _fitting(calls: Sequence[SimulatedCall]) -> list[SimulatedCall]:
    fitting: list[SimulatedCall] = []
    length = 0
    for call in calls:
        length += len(_written(call)) + 1
        if length > LONGEST_CHARS:
            break
        fitting.append(call)
    return fitting
