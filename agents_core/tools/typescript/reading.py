"""What a TypeScript source says of its tool, told by the compiler in a process of Node.js: the source is never run for it."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from agents_core.errors import Unavailable
from agents_core.sandbox.interpreter import node
from agents_core.tools.schema import Problem, ToolSchema

HERE = Path(__file__).parent
VERSION: str = json.loads((HERE / "vendor/package.json").read_text(encoding="utf-8"))["dependencies"]["typescript"]
NODE_FLAG = "--disable-wasm-trap-handler"
"""Without it fetch reserves more address space than a call has. Node.js has it since 20.15."""
_LONGEST_S = 20.0
_HEAP_MB = 512
_AT_ONCE = BoundedSemaphore(2)
"""Of the compiler's processes: an editor asks at every pause of typing."""


class CompilerFailed(Unavailable):
    """Nothing can be made out of a TypeScript source on this server now. The message says why."""

    code = "typescript_unavailable"


@dataclass(frozen=True, slots=True)
class Reading:
    """``code`` is the source as a JavaScript module, empty where it cannot be one; ``order`` are its function's parameters,
    ``required`` those that every call needs; ``throws`` are the lines of the throw statements, ``literals`` the texts and numbers
    of the source. ``failure``: why it could not be read at all."""

    schema: ToolSchema
    code: str = ""
    order: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    throws: frozenset[int] = frozenset()
    literals: frozenset[str | int | float] = frozenset()
    failure: str = ""


def read(source: str, function: str = "") -> Reading:
    """The reading of ``source`` and of its exported ``function``, by default the last. Never raises: what is wrong with the source or
    with this server stands among the schema's problems."""
    try:
        if "\x00" in source:
            raise CompilerFailed("TypeScript cannot read this: it holds the character NUL.")
        told = json.loads(_told(source, function))
    except CompilerFailed as failure:
        return Reading(ToolSchema(problems=[Problem(1, 0, failure.message)]), failure=failure.message)
    schema = ToolSchema(
        told["name"],
        told["description"],
        told["parameters"],
        (),
        _problems(told["problems"]),
        _problems(told["warnings"]),
    )
    order, required = tuple(told["order"]), tuple(told["required"])
    return Reading(schema, told["code"], order, required, frozenset(told["throws"]), frozenset(told["literals"]))


def derive(source: str) -> ToolSchema:
    """As ``agents_core.tools.schema.derive``, of a TypeScript source."""
    return read(source).schema


def _problems(told: list[Mapping[str, Any]]) -> list[Problem]:
    return sorted({Problem(one["line"], one["column"], one["message"]) for one in told})


@lru_cache(maxsize=64)
def _told(source: str, function: str) -> str:
    """What read.cjs writes. Raises ``CompilerFailed``."""
    if not _AT_ONCE.acquire(timeout=_LONGEST_S):
        raise CompilerFailed("TypeScript's compiler is busy with other sources: try again in a moment.")
    try:
        done = subprocess.run(
            [node_path(), f"--max-old-space-size={_HEAP_MB}", str(HERE / "read.cjs")],
            input=json.dumps({"source": source.encode("utf-8", "replace").decode(), "function": function}),
            encoding="utf-8",
            capture_output=True,
            timeout=_LONGEST_S,
            env={"PATH": os.environ.get("PATH", "")},
            cwd="/",
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise CompilerFailed(f"TypeScript's compiler did not read this within {_LONGEST_S:.0f} s.") from None
    except (OSError, subprocess.CalledProcessError):
        raise CompilerFailed(
            "TypeScript's compiler failed on this: it may be nested too deeply. Write it simpler."
        ) from None
    finally:
        _AT_ONCE.release()
    return done.stdout


@cache
def node_path() -> str:
    """Raises ``CompilerFailed`` where Node.js is missing or too old."""
    path = node()
    if path is None:
        raise CompilerFailed("TypeScript tools need Node.js 20.15 or later on the server: apt-get install nodejs.")
    trial = subprocess.run([str(path), NODE_FLAG, "--version"], capture_output=True, text=True, check=False)
    if trial.returncode:
        version = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout.strip()
        raise CompilerFailed(f"TypeScript tools need Node.js 20.15 or later on the server, which has {version}.")
    return str(path)
