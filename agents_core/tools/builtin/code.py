"""Running code that the agent writes, in the sandbox (contract: agent-loop, section 3, "Builtin")."""

import json
from importlib.resources import files
from typing import Any, Literal

from agents_core.models import ToolType
from agents_core.sandbox.base import Limits, SandboxCall, SandboxOutcome
from agents_core.tools.base import ToolContext, ToolError, tool
from agents_core.tools.execute import sandbox

_LIMITS = Limits(wall_s=30.0, cpu_s=20.0)
# Node reserves more address space than it uses.
_NODE_LIMITS = Limits(wall_s=30.0, cpu_s=20.0, memory_bytes=1024 * 1024 * 1024)
_RUNNER = files("agents_core.tools.builtin").joinpath("_code_runner.py").read_text(encoding="utf-8")
_LONGEST_CODE = 200_000


@tool(ToolType.BUILTIN, parallel=True)
async def run_code(ctx: ToolContext, code: str, language: Literal["python", "js", "ts", "r", "java"]) -> str:
    """Runs code and returns what it printed, the value of its last line, and its error if it failed.

    The code has no network and none of your files, at most 30 seconds, and nothing stays for the next call. Python has its standard
    library, and your own tools as functions.

    Args:
        code: The whole program.
        language: The language it is written in.
    """
    if not code.strip():
        raise ToolError("There is no code to run: pass the whole program as code.")
    if len(code) > _LONGEST_CODE:
        raise ToolError(f"The code has {len(code):,} characters; {_LONGEST_CODE:,} can be run at once.")
    if language == "python":
        call = SandboxCall(_RUNNER, "run_python", {"code": code, "tools": dict(ctx.tool_sources)}, limits=_LIMITS)
    elif language == "js":
        call = SandboxCall(_RUNNER, "run_javascript", {"code": code}, limits=_NODE_LIMITS)
    else:
        raise ToolError(f"{language} cannot be run on this server: write it in python or js.")
    return json.dumps(_report(await (await sandbox()).call(call)), ensure_ascii=False)


def _report(outcome: SandboxOutcome) -> dict[str, Any]:
    """What the agent reads: {results, logs: {stdout, stderr}, error when there was one}."""
    value = outcome.value if isinstance(outcome.value, dict) else {}
    if value.get("absent"):
        raise ToolError("js cannot be run on this server, which has no Node.js: write it in python.")
    report: dict[str, Any] = {
        "results": value.get("results", []),
        "logs": {"stdout": _lines(outcome.stdout), "stderr": _lines(outcome.stderr)},
    }
    if error := value.get("error") or outcome.error:
        report["error"] = error
    if outcome.output_truncated:
        report["note"] = f"The output was cut at {_LIMITS.output_bytes:,} bytes: print less."
    return report


def _lines(text: str) -> list[str]:
    return [text] if text else []
