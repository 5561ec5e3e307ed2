"""All benchmarks: ``python -m benchmarks [--quick] [part …]``. Prints a table in Markdown; docs/benchmarks.md explains it."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import django

from benchmarks import machine, model
from benchmarks.bench import Bench
from benchmarks.parts import floors, start
from benchmarks.table import Row, markdown
from tests.e2e.serving import Server

PARTS = ("start", "messages", "turns", "agents", "archival", "tools", "context", "live", "pages", "browser", "watches")
"""Each is a module of ``benchmarks.parts``; they run in this order."""
_STARTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures a server of its own.")
    parser.add_argument("--quick", action="store_true", help="fewer of everything: about a minute")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=f"any of {', '.join(PARTS)}")
    asked = parser.parse_args()
    facts, warning, failed = machine.described(), machine.warning(), list[str]()
    rows = _measured([part for part in PARTS if part in (asked.parts or PARTS)], asked.quick, failed)
    missing = f"**Not measured, see above: {', '.join(failed)}.**" if failed else ""
    print("\n\n".join(filter(None, [facts, warning, missing, markdown(rows)])))
    sys.exit(bool(failed))


def _measured(parts: Sequence[str], quick: bool, failed: list[str]) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="mnemoscope-bench-") as folder, model.running() as port:
        home, settings = Path(folder, "home"), {"VLLM_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        # This process fills the database too, past the API.
        os.environ |= {"MNEMOSCOPE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "ade.settings"}
        os.environ.pop("DATABASE_URL", None)
        rows = start.measure(home, 2 if quick else _STARTS, settings) if "start" in parts else []
        with Server(home, **settings) as server:
            django.setup()
            others = [part for part in parts if part != "start"]
            rows = asyncio.run(_served(Bench(server, quick), others, port, failed)) + rows
            server.stop()
            if failed:
                print(server.output, file=sys.stderr)
    return rows


async def _served(bench: Bench, parts: Sequence[str], model_port: int, failed: list[str]) -> list[Row]:
    rows = await floors.measure(bench, model_port)
    for part in parts:
        began = time.monotonic()
        try:
            rows += await import_module(f"benchmarks.parts.{part}").measure(bench)
        except Exception:  # the others are worth having all the same
            traceback.print_exc()
            failed.append(part)
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
