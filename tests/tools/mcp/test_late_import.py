"""The SDK costs half a second to import: neither the web server nor the worker does it before it is needed."""

import subprocess
import sys

CODE = """
import sys
import ade.asgi, ade.urls
import agents_core.management.commands.agent_worker
print("mcp" in sys.modules, "starlette" in sys.modules)
"""


def test_neither_the_web_server_nor_the_worker_starts_with_the_sdk() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
