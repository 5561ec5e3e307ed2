"""A TypeScript tool in the sandbox: its call as one of ``runner.py``, which starts Node.js there, and what that one reports."""

import asyncio
from dataclasses import replace
from typing import Any

from agents_core.sandbox.base import Limits, Sandbox, SandboxCall, SandboxOutcome
from agents_core.tools.typescript.reading import HERE, CompilerFailed, node_path, read

_RUNNER = (HERE / "runner.py").read_text(encoding="utf-8")
_PROGRAM = (HERE / "run.mjs").read_text(encoding="utf-8")
_LEAST_MEMORY_BYTES = 1024 * 1024 * 1024
"""Node.js reserves more address space than it uses."""
_LEAST_PROCESSES = 64
"""Its threads are among them, and under Landlock those of calls at the same time."""


async def run(sandbox: Sandbox, call: SandboxCall) -> SandboxOutcome:
    """As ``Sandbox.call``, of a TypeScript source. Raises ``SandboxUnavailable``."""
    try:
        wrapped = await asyncio.to_thread(_wrapped, call)
    except CompilerFailed as failure:
        return SandboxOutcome("error", error=failure.message)
    except SyntaxError as error:
        return SandboxOutcome("error", error=f"SyntaxError: {error.msg} (line {error.lineno})")
    return _told(await sandbox.call(wrapped))


def _wrapped(call: SandboxCall) -> SandboxCall:
    """Raises ``CompilerFailed``; ``SyntaxError`` for a source that is no TypeScript."""
    path, reading = node_path(), read(call.source, call.function)
    if reading.failure:
        raise CompilerFailed(reading.failure)
    if not reading.code:
        first = reading.schema.problems[0]
        raise SyntaxError(first.message, ("tool.ts", first.line, first.column + 1, ""))
    if not reading.schema.name:
        raise CompilerFailed(reading.schema.problems[0].message)
    told = {"function": call.function, "order": reading.order, "required": reading.required, "arguments": call.args}
    args = {"node": path, "program": _PROGRAM, "code": reading.code, "call": {**told, "networked": bool(call.hosts)}}
    return replace(call, source=_RUNNER, function="run", args=args, limits=_widened(call.limits))


def _widened(limits: Limits) -> Limits:
    return replace(
        limits,
        memory_bytes=max(limits.memory_bytes, _LEAST_MEMORY_BYTES),
        processes=max(limits.processes, _LEAST_PROCESSES),
    )


def _told(outcome: SandboxOutcome) -> SandboxOutcome:
    """The tool's own outcome, out of that of the runner."""
    report: dict[str, Any] = outcome.value if isinstance(outcome.value, dict) else {}
    if outcome.status != "ok" or "error" not in report:
        return replace(outcome, value=report.get("value"), traceback="")
    error, traceback = str(report["error"]), str(report.get("traceback", ""))
    return replace(outcome, status="error", value=None, error=error, traceback=traceback)
