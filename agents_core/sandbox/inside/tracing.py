"""A recording of a call: each line of the tool's own source as it is about to run, and the variables that it sees.

It is made inside the process that is shut in, so a tool that sets out to can spoil its own recording, and nothing else.
"""

import reprlib
import signal
import sys
from types import CodeType, FrameType
from typing import Any

from agents_core.sandbox.inside import values

_MOST_STEPS = 1_000
_MOST_CHARS = 300_000
_MOST_VARIABLES = 40
_SHARE_OF_TIME = 0.8
"""A call that is killed reports nothing: a recorded one is stopped before that."""


class Stopped(BaseException):
    """The time of a recorded call is over."""


def _short_repr() -> reprlib.Repr:
    short = reprlib.Repr()
    short.fillvalue = "…"
    short.maxstring = short.maxother = 200
    short.maxlist = short.maxtuple = short.maxset = short.maxdict = 20
    short.maxlevel = 4
    return short


class Recorder:
    """Records what runs of the file ``filename`` between ``start`` and ``finish``, functions only."""

    def __init__(self, filename: str, limits: dict[str, Any]) -> None:
        self._filename = filename
        self._seconds = _SHARE_OF_TIME * min(limits["wall_s"], limits["cpu_s"])
        self._room = limits["result_bytes"]
        self._steps: list[dict[str, Any]] = []
        self._chars = 0
        self._seen: dict[int, dict[str, str]] = {}
        self._raised_in: FrameType | None = None
        self._printed = 0
        self._repr = _short_repr()

    def start(self) -> None:
        signal.signal(signal.SIGALRM, self._stop)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        self._count_what_is_printed()
        sys.settrace(self._enter)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        raise Stopped(f"a recorded call may take {self._seconds:g} s")

    def _count_what_is_printed(self) -> None:
        write = sys.stdout.write

        def counting(text: str) -> int:
            self._printed += len(text)
            return write(text)

        sys.stdout.write = counting  # type: ignore[method-assign]

    def finish(self, report: bytes) -> bytes:
        """``report``, a JSON object, with the steps, as many as its limit has room for."""
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        steps = values.to_json(self._steps)
        if len(report) + len(steps) > self._room:
            return report
        return report[:-1] + b', "steps": ' + steps + b"}"

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._follow if self._depth(frame) else None

    def _depth(self, frame: FrameType | None) -> int:
        """How many functions of the tool call one another down to ``frame``; 0 outside, and while its module is loaded."""
        own: list[CodeType] = []
        if frame is None or frame.f_code.co_filename != self._filename:
            return 0
        while frame is not None:
            if frame.f_code.co_filename == self._filename:
                own.append(frame.f_code)
            frame = frame.f_back
        return 0 if own[-1].co_name == "<module>" else len(own)

    def _follow(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._raised_in = None
            self._add(frame, event, "")
        elif event == "exception":
            self._raised_in = frame
            self._add(frame, event, f"{argument[0].__name__}: {self._told(argument[1], str)}")
        elif event == "return":
            if self._raised_in is not frame:
                self._add(frame, event, self._told(argument, self._repr.repr))
            self._seen.pop(id(frame), None)
        if len(self._steps) < _MOST_STEPS and self._chars < _MOST_CHARS:
            return self._follow
        sys.settrace(None)
        return None

    def _add(self, frame: FrameType, event: str, note: str) -> None:
        variables = self._variables(frame)
        before = self._seen.get(id(frame), {})
        self._seen[id(frame)] = variables
        self._chars += sum(len(name) + len(told) for name, told in variables.items()) + len(note)
        self._steps.append(
            {
                "line": frame.f_lineno,
                "depth": self._depth(frame),
                "function": frame.f_code.co_name,
                "event": event,
                "note": note,
                "variables": list(variables.items()),
                "changed": [name for name, told in variables.items() if before.get(name) != told],
                "printed": self._printed,
            }
        )

    def _variables(self, frame: FrameType) -> dict[str, str]:
        found = [
            item for item in frame.f_locals.items() if item[0].isidentifier()
        ]  # A comprehension has one named ".0".
        return {name: self._told(value, self._repr.repr) for name, value in found[:_MOST_VARIABLES]}

    @staticmethod
    def _told(value: Any, show: Any) -> str:
        """Whatever the tool's own class does when it is asked."""
        try:
            return values.text(show(value))[:400]
        except Exception as error:
            return f"<its text cannot be had: {type(error).__name__}>"
