"""Reading a file in a process of its own: a document may crash its reader, or take all the memory and time there is."""

import asyncio
import json
import logging
import resource
import sys
from pathlib import Path

from agents_core.memory.files.reading import UnknownFormat, Unreadable, text_of

logger = logging.getLogger(__name__)

TIMEOUT_S = 300.0
MEMORY_BYTES = 2 * 2**30

_PROJECT = Path(__file__).parents[3]
_LOGGED_CHARS = 2000
_TOO_MUCH = "The file takes more memory or time to read than it may: split it, or upload it as plain text."


async def text_apart(name: str, body: bytes) -> str:
    """As ``text_of``. Raises ``Unreadable`` also when the reading takes too long, too much, or crashes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=_PROJECT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer, errors = await process.communicate(body)
    except TimeoutError:
        raise Unreadable(_TOO_MUCH) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        logger.warning(
            "Reading %s ended with %d: %s", name, process.returncode, errors.decode(errors="replace")[-_LOGGED_CHARS:]
        )
        raise Unreadable(_TOO_MUCH)
    told = json.loads(answer)
    if "unreadable" in told:
        raise Unreadable(told["unreadable"])
    return str(told["text"])


def main(name: str) -> None:
    """Reads a file from standard input; writes {text} or {unreadable: why}."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        told = {"text": text_of(name, sys.stdin.buffer.read())}
    except (Unreadable, UnknownFormat) as error:
        told = {"unreadable": error.message}
    except MemoryError:
        told = {"unreadable": _TOO_MUCH}
    sys.stdout.buffer.write(json.dumps(told).encode())


if __name__ == "__main__":
    main(sys.argv[1])
