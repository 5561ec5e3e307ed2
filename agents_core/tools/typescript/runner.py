"""Starts Node.js on a tool and gives its report. This file is the source of a sandbox's call: it imports the standard library only."""

import json
import os
import signal
import subprocess
from typing import Any

# Threads are counted as processes, and too few of them let Node.js hang at its start: it is to need few.
_FLAGS = (
    "--v8-pool-size=1",
    "--max-old-space-size=384",
    "--disable-wasm-trap-handler",
    "--enable-source-maps",
    "--no-warnings",
)

_CRASHES = {-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGTRAP, -signal.SIGILL}


def run(node: str, program: str, code: str, call: dict[str, Any]) -> dict[str, Any]:
    """What ``program`` reports of the ``call`` of a function of ``code``; {error} where it reports nothing."""
    proxy = os.environ.get("HTTPS_PROXY", "") if call["networked"] else ""
    _write("tool.mjs", code)
    _write("call.json", json.dumps({**call, "proxy": proxy}))
    certificates = os.environ.get("SSL_CERT_FILE", "")
    environment = os.environ | {
        "OPENSSL_CONF": "/dev/null"
    }  # Landlock keeps it from the machine's, and it would not start.
    if certificates:
        environment["NODE_EXTRA_CA_CERTS"] = certificates
    command = [node, *_FLAGS, "--input-type=module", "-e", program]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=False)
    except OSError as error:
        return {"error": f"Node.js cannot be started here: {error}"}
    return _report() or {"error": _ending(done.returncode)}


def _report() -> dict[str, Any]:
    """The tool may have written it in our stead: trust the shape of nothing."""
    try:
        with open(f"{os.environ['TMPDIR']}/report.json", encoding="utf-8", errors="replace") as file:
            told = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _ending(code: int) -> str:
    if code in _CRASHES:
        return "Node.js crashed, most likely because the tool used more memory than a call may."
    if code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return "The tool used more CPU time than a call may."
    if code < 0:
        return f"The tool's process was killed by signal {-code}."
    if code in {0, 13}:
        return "The function never returned: it called process.exit, or waits for what never comes."
    return f"The tool's process ended itself with exit code {code} before the function returned."


def _write(name: str, text: str) -> None:
    with open(f"{os.environ['TMPDIR']}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
