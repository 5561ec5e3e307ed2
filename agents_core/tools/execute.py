"""Running one tool call: finding the tool, reading its arguments, running it in process or in the sandbox, and wording what came of it."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from agents_core.conf import conf
from agents_core.errors import AgentsError, Refused
from agents_core.models.pipeline import storable
from agents_core.sandbox.base import Answer, Limits, NewPassage, Sandbox, SandboxCall, SandboxOutcome
from agents_core.sandbox.choose import choose
from agents_core.tools.base import BUILTIN_TOOLS, ToolContext, ToolResult
from agents_core.tools.environment import Environment, preloaded
from agents_core.tools.languages import Language
from agents_core.tools.typescript import run as typescript

logger = logging.getLogger(__name__)

_ERROR_CHARS = 1000
_UNCUT = {"conversation_search", "conversation_search_date", "archival_memory_search"}
# Some models send these with any tool; they are the loop's, never the tool's.
_LOOP_ARGUMENTS = ("request_heartbeat", "thinking", "inner_thoughts")


def read_arguments(text: str) -> dict[str, Any]:
    """The arguments in a model's JSON text: {} where it is no object; the first of several objects written one after the other."""
    try:
        arguments = storable(json.JSONDecoder().raw_decode(text.strip() or "{}")[0])
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}


def own_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are the tool's own."""
    return {name: value for name, value in arguments.items() if name not in _LOOP_ARGUMENTS}


async def run_builtin(
    name: str, arguments: Mapping[str, Any], context: ToolContext, return_char_limit: int
) -> ToolResult:
    """Runs a tool that is part of the product. Whatever goes wrong in it is a result too."""
    started = time.perf_counter()
    definition = BUILTIN_TOOLS.load(name)
    try:
        accepted = definition.parameters.get("properties", {})
        unknown = sorted(set(arguments) - set(accepted))
        missing = sorted(set(definition.parameters.get("required", [])) - set(arguments))
        if unknown or missing:
            raise TypeError(_argument_trouble(accepted, unknown, missing))
        value = await definition.run(context, **arguments)
        status, text = "success", as_text(value)
    except AgentsError as error:
        status, text = "error", error_text(name, type(error).__name__, error.message)
    except Exception as error:  # the border of a tool call: a model's wrong types end here
        logger.exception("The tool %s failed", name)
        status, text = "error", error_text(name, type(error).__name__, str(error))
    if name not in _UNCUT:
        text = cut_text(text, return_char_limit)
    return ToolResult(status, storable(text), duration_ms=(time.perf_counter() - started) * 1000)


def _argument_trouble(accepted: Mapping[str, Any], unknown: list[str], missing: list[str]) -> str:
    parts = [f"missing {', '.join(missing)}"] if missing else []
    parts += [f"unknown {', '.join(unknown)}"] if unknown else []
    return f"{'; '.join(parts)}. It takes: {', '.join(accepted) or 'no arguments'}."


async def run_source(
    source: str,
    function: str,
    arguments: dict[str, Any],
    environment: Environment,
    *,
    agent: dict[str, Any] | None = None,
    limits: Limits | None = None,
    record: bool = False,
    written_in: Language = Language.PYTHON,
    answer: Answer | None = None,
) -> SandboxOutcome:
    """Runs a function of ``source`` in the sandbox. The outcome holds no secret of the environment.

    ``answer``: what it may ask while it runs, if anything. ``agent``, ``record``: see ``SandboxCall``. Raises ``SandboxUnavailable`` where
    this machine isolates nothing, ``PackagesUnavailable``; ``Refused`` to record what is not Python.
    """
    is_python = written_in is Language.PYTHON
    if record and not is_python:
        raise Refused("Only Python tools can be stepped through: run this one, and have it print what you want to see.")
    limits = limits or Limits()
    packages = await environment.packages.ready(limits.wall_s)
    call = SandboxCall(
        source,
        function,
        arguments,
        dict(environment.variables),
        limits,
        packages,
        preloaded(source, packages) if is_python else (),
        environment.hosts,
        agent,
        record,
    )
    outcome = await (await sandbox()).call(call, answer) if is_python else await typescript.run(await sandbox(), call)
    # The tool may have written its report itself, with blocks that it was not given.
    given = {block["label"] for block in agent["blocks"]} if agent else set()
    known = {label: text for label, text in outcome.blocks.items() if label in given}
    return environment.mask.outcome(replace(outcome, blocks=known))


async def run_custom(
    name: str,
    source: str,
    arguments: dict[str, Any],
    environment: Environment,
    return_char_limit: int,
    agent: dict[str, Any] | None = None,
    written_in: Language = Language.PYTHON,
    answer: Answer | None = None,
    *,
    record: bool = False,
) -> ToolResult:
    """Runs a person's tool in the sandbox. Whatever goes wrong in it is a result too. ``record``: with its steps, where it is Python."""
    told: dict[str, Any] = {
        "agent": agent,
        "written_in": written_in,
        "record": record and written_in is Language.PYTHON,
        "answer": answer,
    }
    try:
        outcome = await run_source(source, name, arguments, environment, **told)
    except AgentsError as error:
        return failed(name, error)
    return result_of(name, outcome, return_char_limit)


def failed(name: str, error: AgentsError) -> ToolResult:
    """What the agent sees of a call that could not be made, or whose changes could not."""
    return ToolResult("error", error_text(name, type(error).__name__, error.message))


def result_of(name: str, outcome: SandboxOutcome, return_char_limit: int) -> ToolResult:
    """A sandbox's outcome as the agent sees it."""
    if outcome.status == "ok":
        status, text = "success", cut_text(as_text(outcome.value), return_char_limit)
    else:
        status, text = "error", f"Error executing function {name}: {outcome.error}"[:_ERROR_CHARS]
    stderr = "\n".join(part for part in (outcome.stderr, outcome.traceback) if part)
    return ToolResult(
        status,
        storable(text),
        storable(outcome.stdout),
        storable(stderr),
        outcome.duration_ms,
        storable(outcome.blocks),
        [NewPassage(storable(one.text), tuple(storable(one.tags))) for one in outcome.passages],
        tuple(outcome.steps),
    )


def as_text(value: Any) -> str:
    """A tool's value as the agent reads it: text as it is, anything else as JSON; "None" for nothing."""
    if isinstance(value, str):
        return value
    return "None" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def cut_text(text: str, limit: int) -> str:
    """``text``, cut to ``limit`` characters with a note of how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [cut: {len(text):,} characters, this tool returns at most {limit:,}]"


def error_text(name: str, kind: str, message: str) -> str:
    """What the agent reads of a call that failed."""
    return f"Error executing function {name}: {kind}: {message}"[:_ERROR_CHARS]


_sandboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Sandbox]] = WeakKeyDictionary()


async def sandbox() -> Sandbox:
    """This event loop's sandbox: the best that works on this machine, found out once."""
    loop = asyncio.get_running_loop()
    if loop not in _sandboxes:
        _sandboxes[loop] = loop.create_task(choose(conf().sandbox), name="choose sandbox")
    return await asyncio.shield(_sandboxes[loop])


async def close_sandbox() -> None:
    """Ends this event loop's sandbox, if one was used."""
    chosen = _sandboxes.pop(asyncio.get_running_loop(), None)
    if chosen is not None:
        await (await chosen).aclose()
