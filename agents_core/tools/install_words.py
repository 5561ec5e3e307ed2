"""Why uv could not install: the first of its causes, as a sentence that says what to do."""

import re
import sys

_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
_NO_WHEEL = (
    f"{{0}} has no wheel for {_PYTHON} on this machine, and packages are not built from source here: "
    "ask for a version that has one."
)
_CAUSES = (
    (
        r"network (?:was|is) disabled|Failed to fetch|error sending request|dns error|Could not connect",
        "The package index could not be reached: see to the server's network (or UV_DEFAULT_INDEX), then try again.",
    ),
    (r"No space left|os error 28", "The disk is full: free some space, then try again."),
    (r"Because (\S+) was not found in the", "There is no package named {0}: see how it is spelt on PyPI."),
    (r"(?:Because|And because) (\S+?)(?:==\S+)? has no (?:wheels|usable wheels)", _NO_WHEEL),
    (r"Wheels are required for `([^`]+)`", _NO_WHEEL),
    (r"Because there (?:is|are) no versions? of (\S+)", "There is no {0}: ask for a version that was published."),
    (r"only the following versions of (\S+) are available", "The versions asked for of {0} do not exist."),
    (r"No module named uv", "uv is not installed beside the server: pip install uv."),
)


def reason(log: str, exit_code: int) -> str:
    """``log`` is all that uv wrote. What is not known here is told in uv's own last words."""
    text = " ".join(log.split())
    for pattern, words in _CAUSES:
        if found := re.search(pattern, text):
            return words.format(*found.groups())
    last = [line.strip() for line in log.splitlines() if line.strip()][-1:]
    return f"uv says: {last[0]}" if last else f"uv was stopped (exit code {exit_code})."
