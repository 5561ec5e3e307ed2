"""A server that others wrote, in another language: the reference server of the protocol, from npm."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agents_core.models import McpServer
from agents_core.tools.mcp.connection import connected
from agents_core.tools.mcp.content import text_of
from agents_core.tools.mcp.listing import listing
from agents_core.tools.mcp.schema import usable
from tests.mcp_servers.starting import target

PACKAGE = "@modelcontextprotocol/server-everything@2026.8.31"


@pytest.fixture(scope="module")
def everything(request: pytest.FixtureRequest) -> str:
    """The server's program, installed once into pytest's cache."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine")
    assert request.config.cache
    folder = Path(request.config.cache.mkdir("mcp-npm"))
    program = folder / "node_modules" / ".bin" / "mcp-server-everything"
    if not program.exists():
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=40, env=os.environ, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm takes too long to install {PACKAGE}")
        if done.returncode:
            pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr.strip()[-200:]}")
    return str(program)


async def test_the_reference_server_lists_and_runs(everything: str) -> None:
    server = McpServer(name="everything", kind="stdio", command=everything, args=["stdio"])
    async with connected(target(server)) as connection:
        found = await listing(connection)
        tools = {tool.name: usable(tool.input_schema) for tool in found.tools}
        echoed = await connection.asked(lambda client: client.call_tool("echo", {"message": "hullo"}), 20)
        drawn = await connection.asked(lambda client: client.call_tool("get-tiny-image", {}), 20)
    assert tools["echo"]["properties"]["message"]["type"] == "string"
    assert found.resources
    assert found.prompts
    assert "hullo" in text_of(echoed)
    assert "[image, image/png," in text_of(drawn)
