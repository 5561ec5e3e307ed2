"""What ruff says of a tool's source."""

import json
import logging
import subprocess
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

from agents_core.tools.schema import Problem

logger = logging.getLogger(__name__)

_RULES = "E4,E7,E9,F,B,PLE,ASYNC"
_LONGEST_S = 3.0
_AT_ONCE = BoundedSemaphore(2)
"""Of ruff's processes: an editor asks at every pause of typing."""


def lint(source: str) -> tuple[Problem, ...]:
    """Findings in the order of their lines, each beginning with the code of its rule; none where ruff does not answer in time.

    Syntax errors are left out: the schema's problems tell of them.
    """
    if not _AT_ONCE.acquire(timeout=_LONGEST_S):
        return ()
    try:
        return _findings(source)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        logger.warning("ruff did not read a tool's source: %s", error)
        return ()
    finally:
        _AT_ONCE.release()


@lru_cache(maxsize=64)
def _findings(source: str) -> tuple[Problem, ...]:
    from ruff.__main__ import find_ruff_bin

    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--quiet", "--exit-zero", f"--select={_RULES}"]
    done = subprocess.run(
        [*command, "--output-format=json", "--stdin-filename=tool.py", "-"],
        input=source.encode("utf-8", "replace"),
        capture_output=True,
        timeout=_LONGEST_S,
        check=True,
        cwd="/",
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return tuple(sorted(_problem(one) for one in found if one["code"] and one["code"] != "invalid-syntax"))


def _problem(finding: dict[str, Any]) -> Problem:
    place = finding["location"]
    return Problem(place["row"], place["column"] - 1, f"{finding['code']} {finding['message']}")
