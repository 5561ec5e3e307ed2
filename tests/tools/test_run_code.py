"""run_code: what the agent reads of a program, in a real sandbox."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents_core.tools.base import ToolContext, ToolResult
from agents_core.tools.execute import close_sandbox, run_builtin

needs_node = pytest.mark.skipif(shutil.which("node", path="/usr/bin:/bin") is None, reason="needs Node.js")


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    await close_sandbox()


def context(**sources: str) -> ToolContext:
    return ToolContext("agent-1", "step-1", "call-1", ZoneInfo("UTC"), {}, None, None, tool_sources=sources)


async def called(code: str, language: str = "python", **sources: str) -> ToolResult:
    return await run_builtin("run_code", {"code": code, "language": language}, context(**sources), 50_000)


async def report(code: str, language: str = "python", **sources: str) -> dict[str, Any]:
    result = await called(code, language, **sources)
    assert result.status == "success", result.text
    found: dict[str, Any] = json.loads(result.text)
    return found


async def test_the_value_of_the_last_line_and_what_was_printed_come_back() -> None:
    told = await report("import sys\nprint('hello')\nprint('oops', file=sys.stderr)\n6 * 7")
    assert told == {"results": ["42"], "logs": {"stdout": ["hello\n"], "stderr": ["oops\n"]}}


async def test_a_failing_program_tells_its_error_with_its_own_lines_only() -> None:
    told = await report("print('before')\ndef half(n):\n    return n / 0\nhalf(3)")
    assert told["logs"]["stdout"] == ["before\n"]
    assert "line 3, in half" in told["error"]
    assert told["error"].endswith("ZeroDivisionError: division by zero")
    assert "_executed" not in told["error"]


async def test_what_is_no_python_is_told_with_its_line() -> None:
    assert "line 2" in (await report("x = 1\nx = = 2"))["error"]


async def test_a_program_that_uses_too_much_is_ended_and_told_so() -> None:
    assert "memory" in (await report("x = bytearray(10**10)"))["error"].lower()


async def test_code_calls_the_agents_own_tools() -> None:
    told = await report("double(21)", double="def double(n: int) -> int:\n    return n * 2", broken="import nowhere")
    assert told["results"] == ["42"]
    assert "Your tool broken is not there" in told["logs"]["stderr"][0]


async def test_code_reaches_no_network() -> None:
    arrived: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: arrived.append(writer), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told = await report(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)")
    assert "Error" in told["error"]
    assert not arrived


@needs_node
async def test_javascript_gives_its_last_value_also_of_a_promise() -> None:
    told = await report("console.log('hi'); Promise.resolve([1, 2].map(n => n * 2))", "js")
    assert told == {"results": ["[ 2, 4 ]"], "logs": {"stdout": ["hi\n"], "stderr": []}}


@needs_node
async def test_failing_javascript_tells_its_error() -> None:
    error = (await report("null.x", "js"))["error"]
    assert "TypeError: Cannot read" in error
    assert error.endswith("at code.js:1:6")
    assert "SyntaxError" in (await report("let = ;", "js"))["error"]
    assert "later" in (await report("setTimeout(() => { throw new Error('later') }, 1)", "js"))["error"]


@needs_node
async def test_javascript_that_eats_memory_ends_without_the_machines() -> None:
    told = await report("const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))", "js")
    assert told["error"]


@pytest.mark.parametrize("language", ["ts", "r", "java", "cobol"])
async def test_a_language_that_cannot_be_isolated_here_is_refused_in_words(language: str) -> None:
    result = await called("1", language)
    assert result.status == "error"
    assert f"{language} cannot be run on this server: write it in python or js." in result.text


@pytest.mark.parametrize("code", ["", "  \n", "x" * 200_001])
async def test_no_code_and_too_much_of_it_are_refused(code: str) -> None:
    assert (await called(code)).status == "error"
