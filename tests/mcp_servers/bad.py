"""Servers that are no good, over stdio: ``bad.py hang|garbage|deaf|crash|odd``. They speak by hand, for no SDK would let them be so."""

import json
import sys
import time
from typing import Any

_ODD_TOOLS = [
    {"name": "look up/the weather!", "inputSchema": {"type": "object", "properties": {"place": {}}}},
    {"name": "look_up_the_weather", "inputSchema": {}},
    {"name": "n" * 200, "inputSchema": {"type": "object", "properties": {"x": {"$ref": "#/$defs/X"}}, "$defs": {"X": {"type": "integer"}}}},
    {"name": "lost", "inputSchema": {"type": "object", "properties": {"x": {"$ref": "#/$defs/Nowhere"}}}},
    {"name": "huge", "inputSchema": {"type": "object", "properties": {"x": {"type": "string", "description": "d" * 100_000}}}},
]  # fmt: skip


def _answer(message: dict[str, Any]) -> Any:
    match message.get("method"):
        case "initialize":
            about = {"name": "bad", "version": "0"}
            version = message["params"]["protocolVersion"]
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            # The same page for ever.
            return {"tools": _ODD_TOOLS, "nextCursor": str(time.monotonic())}
        case "tools/call":
            time.sleep(60)
    return None


def main(how: str) -> None:
    if how == "crash":
        print("the disk is full", file=sys.stderr)
        sys.exit(1)
    for line in sys.stdin:
        if how == "hang":
            continue
        if how == "garbage":
            print("<html>what?</html>\n[1,2", flush=True)
            continue
        message = json.loads(line)
        result = _answer(message)
        if "id" not in message:
            continue
        said = {"result": result} if result is not None else {"error": {"code": -32601, "message": "unknown"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **said}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
