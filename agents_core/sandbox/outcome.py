"""A supervisor's reply as a ``SandboxOutcome``, in words a tool's author can act on."""

import json
import signal
from typing import Any

from agents_core.sandbox.base import Limits, NewPassage, RecordedStep, SandboxOutcome, SandboxUnavailable, Status
from agents_core.sandbox.inside import wire

_MOST_PASSAGES = 100


def outcome_of(reply: bytes, limits: Limits, stopped: str = "") -> SandboxOutcome:
    """``stopped``: the sentence with which the server itself ended the call.

    Raises ``SandboxUnavailable`` when the supervisor says that the machine refused a wall."""
    try:
        header, parts = wire.unpack_reply(reply)
    except ValueError:
        return SandboxOutcome("killed", error="The sandbox's process died during the call.")
    if header["status"] == "unavailable":
        raise SandboxUnavailable(f"The sandbox could not be set up: {header['reason']}")
    out, err, report = parts
    status, error = _verdict(header, limits, answered=bool(report))
    if stopped and header["reason"] == "cancelled":
        error = stopped
    told = _report(report) if status == "ok" else {}
    if "error" in told:
        status, error = "error", told["error"]
    return SandboxOutcome(
        status=status,
        value=told.get("value") if status == "ok" else None,
        error=error,
        traceback=told.get("traceback", ""),
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
        duration_ms=header["duration_ms"],
        cpu_ms=header["cpu_ms"],
        peak_memory_bytes=header["peak_memory_bytes"],
        output_truncated=header["output_truncated"],
        blocks=told["blocks"] if status == "ok" else {},
        passages=_passages(told.get("passages")) if status == "ok" else (),
        steps=_steps(told.get("steps")),
    )


def _verdict(header: dict[str, Any], limits: Limits, *, answered: bool) -> tuple[Status, str]:
    reason, code = header["reason"], header["code"]
    if reason == "wall":
        return "timeout", f"Stopped after {limits.wall_s:g} s, the call's limit."
    if reason:
        return "killed", _reasons(limits)[reason]
    if code < 0:
        return "killed", f"The tool's process was killed by {_signal_name(-code)}."
    if code > 0 or not answered:
        return "killed", f"The tool's process ended itself with exit code {code} before the function returned."
    return "ok", ""


def _reasons(limits: Limits) -> dict[str, str]:
    return {
        "cpu": f"Killed: used more than {limits.cpu_s:g} s of CPU time.",
        "memory": f"Killed: its processes used more than {mib(limits.memory_bytes)} of memory together.",
        "scratch": f"Killed: wrote more than {mib(limits.scratch_bytes)} of files, or hid them.",
        "result": f"Killed: the result is larger than {limits.result_bytes:,} bytes.",
        "cancelled": "Killed: the caller gave up.",
    }


def _report(report: bytes) -> dict[str, Any]:
    """The tool's process wrote this, and the tool may have written in its stead: trust the shape of nothing."""
    try:
        told = json.loads(report)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not told.keys() & {"value", "error"}:
        return {"error": "The tool wrote to the descriptor of its result; what it wrote was thrown away."}
    blocks = told.get("blocks")
    texts = {key: str(item) for key, item in told.items() if key in {"error", "traceback"}}
    changed = {label: str(text) for label, text in blocks.items()} if isinstance(blocks, dict) else {}
    return {**texts, **_further(told), "blocks": changed}


def _further(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told.get(name) for name in ("value", "passages", "steps")}


def _passages(told: Any) -> tuple[NewPassage, ...]:
    """None where they have not the shape that a tool's client gives them."""
    try:
        return tuple(NewPassage(str(one["text"]), tuple(map(str, one["tags"]))) for one in told or ())[:_MOST_PASSAGES]
    except (TypeError, KeyError):
        return ()


def _steps(told: Any) -> tuple[RecordedStep, ...]:
    """None where they have not the shape that the recorder gives them."""
    try:
        return tuple(
            RecordedStep(
                line=int(one["line"]),
                depth=int(one["depth"]),
                function=str(one["function"]),
                event=str(one["event"]),
                note=str(one["note"]),
                variables=tuple((str(name), str(text)) for name, text in one["variables"]),
                changed=tuple(map(str, one["changed"])),
                printed=int(one["printed"]),
            )
            for one in told or ()
        )
    except (TypeError, ValueError, KeyError, OverflowError):
        return ()


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (a crash in native code)" if name in {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"} else name


def mib(size: int) -> str:
    return f"{size / 2**20:g} MiB"
