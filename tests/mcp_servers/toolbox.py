"""An MCP server for the tests, run as a program: ``toolbox.py stdio``, or ``toolbox.py sse|streamable-http PORT``.

``TOOLBOX_TOKEN`` in its environment: it lets in only who sends it as a bearer. ``TOOLBOX_TOOLS``: a file of names of more tools.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import EmbeddedResource, ImageContent, ResourceLink, TextContent, TextResourceContents

server = MCPServer("toolbox", version="1.2.3", instructions="Tools for tests.")


@server.tool()
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


@server.tool()
def environment(name: str) -> str:
    """What a variable of the server's environment holds."""
    return os.environ.get(name, "(unset)")


@server.tool()
async def sleep(seconds: float) -> str:
    """Sleeps."""
    await asyncio.sleep(seconds)
    return "woke up"


@server.tool()
def die() -> str:
    """Ends the server in the middle of the call."""
    os._exit(3)


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ToolError("the drawer is stuck")


@server.tool()
def long(characters: int) -> str:
    """A long text."""
    return "x" * characters


@server.tool()
async def grow(name: str, ctx: Context) -> str:
    """Has one more tool from now on, and says so three times."""
    server.add_tool(lambda: f"I am {name}", name=name, description="Grown.")
    for _ in range(3):
        await ctx.session.send_tool_list_changed()
    return "grown"


@server.tool()
def process() -> str:
    """The number of the server's process."""
    return str(os.getpid())


@server.tool(structured_output=False)
def mixed() -> list[Any]:
    """Contents of several kinds."""
    return [
        TextContent(type="text", text="a drawing:"),
        ImageContent(type="image", data="aGVsbG8gd29ybGQ=", mime_type="image/png"),
        ResourceLink(type="resource_link", uri="file:///notes.txt", name="notes", description="the notes"),
        EmbeddedResource(type="resource", resource=TextResourceContents(uri="file:///a.txt", text="inside a")),
    ]


@server.tool()
def send_message(message: str) -> str:
    """Bears the name of a tool of the product."""
    return f"sent {message}"


@server.resource("notes://today", name="today", description="What is on today")
def today() -> str:
    return "nothing"


@server.prompt(description="Greets somebody")
def greet(name: str) -> str:
    return f"Hello {name}"


def _more_tools() -> None:
    path = os.environ.get("TOOLBOX_TOOLS")
    for name in Path(path).read_text().split() if path else []:

        def tool() -> str:
            return "more"

        server.add_tool(tool, name=name, description=f"The tool {name}.")


def _guarded(app: Any, token: str) -> Any:
    async def guard(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        if scope["type"] == "http" and headers.get(b"authorization") != f"Bearer {token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        await app(scope, receive, send)

    return guard


def main(transport: str, port: int) -> None:
    import uvicorn

    _more_tools()
    if transport == "stdio":
        server.run("stdio")
        return
    app = server.sse_app() if transport == "sse" else server.streamable_http_app()
    if token := os.environ.get("TOOLBOX_TOKEN"):
        app = _guarded(app, token)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
