"""Runs the tool in the process that is shut in, and writes one report: its value, or its error in its own lines."""

import contextlib
import gc
import linecache
import os
import sys
import types
from typing import Any, NoReturn, TextIO

from agents_core.sandbox.inside import agent, tracing, values
from agents_core.sandbox.inside.asking import Questions

FILENAME = "tool.py"
_MODULE = "tool"
_MESSAGE_CHARS = 1000
_SHOWN_FRAMES = 30
_INDESCRIBABLE = (
    b'{"error": "The tool failed, and describing its error failed too: it changed what Python is made of."}'
)


def furnish() -> None:
    """Make the process a tool's: its output, nothing of ours among its modules. Done before the request is there."""
    sys.argv = [FILENAME]
    for name in [name for name in sys.modules if name.split(".")[0] == "agents_core"]:
        del sys.modules[name]
    sys.stdout, sys.stderr = _output(1), _output(2)


def _output(fd: int) -> TextIO:
    """Written by the line: what was printed before a kill is kept."""
    return open(fd, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


def run(request: dict[str, Any], report_fd: int, asks_fd: int, scratch: str) -> NoReturn:
    if not request["asks"]:
        os.close(asks_fd)
    own, streams = os.getpid(), (sys.stdout, sys.stderr)
    os.environ.clear()
    os.environ.update({"HOME": scratch, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": scratch} | request["env"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    gc.enable()
    recorder = tracing.Recorder(FILENAME, request["limits"]) if request["record"] else None
    try:
        if recorder:
            recorder.start()
        report = _attempt(request, Questions(asks_fd if request["asks"] else None))
        if recorder:
            report = recorder.finish(report)
    except BaseException:
        report = _INDESCRIBABLE
    _flush(*streams)
    if os.getpid() == own:  # A tool that forks comes back here twice.
        _write(report_fd, report)
    os._exit(0)


def _flush(*streams: TextIO) -> None:
    for stream in streams:
        with contextlib.suppress(BaseException):  # The tool may have closed it.
            stream.flush()


def _write(fd: int, report: bytes) -> None:
    while report:
        report = report[os.write(fd, report) :]


def _attempt(request: dict[str, Any], questions: Questions) -> bytes:
    source: str = request["source"]
    limit = request["limits"]["result_bytes"]
    try:
        caller = agent.Caller(request["agent"], questions)
        value = _call(source, request["function"], request["args"], caller)
        left = {"blocks": caller.changed_blocks(), "passages": caller.new_passages()}
        report = values.to_json({"value": values.plain(value), **values.plain(left)})
        if len(report) <= limit:
            return report
        return values.to_json(
            {"error": f"The result is {len(report):,} bytes as JSON; the limit is {limit:,}. Return less."}
        )
    except MemoryError as error:
        error.args = ("more than the call's limit",)
        return _describe(error, source)
    except BaseException as error:
        return _describe(error, source)


def _call(source: str, function: str, args: dict[str, Any], caller: agent.Caller) -> object:
    module = types.ModuleType(_MODULE)
    module.__file__ = FILENAME
    module.__dict__["client"] = None  # Tools written for the Letta API ask whether this global is None.
    sys.modules[_MODULE] = module
    linecache.cache[FILENAME] = (len(source), None, source.splitlines(keepends=True), FILENAME)
    exec(compile(source, FILENAME, "exec", dont_inherit=True), module.__dict__)
    target = module.__dict__.get(function)
    if not callable(target):
        own = [name for name, item in module.__dict__.items() if getattr(item, "__module__", "") == _MODULE]
        raise NameError(  # noqa: TRY004 - what Python itself would say of such a call
            f"there is no function {function!r} in the source; it defines: {', '.join(own) or 'nothing'}"
        )
    result: Any = target(**caller.injected(_parameters(target), values.coerced(target, args)))
    if hasattr(type(result), "__await__"):
        import asyncio

        result = asyncio.run(_awaited(result))
    return result


def _parameters(function: Any) -> tuple[str, ...]:
    while wrapped := getattr(function, "__wrapped__", None):
        function = wrapped
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()


async def _awaited(awaitable: Any) -> object:
    return await awaitable


def _describe(error: BaseException, source: str) -> bytes:
    lines = source.splitlines()
    frames = _own_frames(error, lines)
    line = frames[-1][0] if frames else 0
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        line = error.lineno or 0
        frames.append((line, "<module>"))
    summary = f"{_type_name(error)}: {_message(error)}"
    where = f" (line {line})" if line else ""
    return values.to_json({"error": summary + where, "traceback": _traceback(frames, lines, summary)})


def _own_frames(error: BaseException, lines: list[str]) -> list[tuple[int, str]]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILENAME and trace.tb_lineno:
            frames.append((trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return frames


def _traceback(frames: list[tuple[int, str]], lines: list[str], summary: str) -> str:
    if not frames:
        return ""
    left_out = len(frames) - _SHOWN_FRAMES
    text = ["Traceback (most recent call last):"]
    if left_out > 0:
        text.append(f"  … {left_out} frames left out")
    for line, name in frames[-_SHOWN_FRAMES:]:
        text.append(f'  File "{FILENAME}", line {line}, in {name}')
        if line <= len(lines):
            text.append(f"    {lines[line - 1].strip()}")
    return "\n".join([*text, summary])


def _type_name(error: BaseException) -> str:
    return values.text(type.__dict__["__name__"].__get__(type(error)))


def _message(error: BaseException) -> str:
    """One line, whatever the tool's own exception class does when it is asked."""
    if isinstance(error, SystemExit):
        return f"the tool called sys.exit({_guarded(error.code, repr)}) instead of returning"
    if isinstance(error, SyntaxError):
        return _guarded(error.msg, str)
    message = _guarded(error, str)
    if isinstance(error, ModuleNotFoundError):
        message += "; a tool has the standard library and its packages"
    return message


def _guarded(value: object, show: Any) -> str:
    try:
        shown = values.text(show(value))[: _MESSAGE_CHARS + 1]
    except BaseException as error:
        return f"<its text cannot be had: {_type_name(error)}>"
    return " ".join(shown[:_MESSAGE_CHARS].split()) + ("…" if len(shown) > _MESSAGE_CHARS else "")
