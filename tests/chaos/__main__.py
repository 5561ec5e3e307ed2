"""Kills everything, again and again, while fifty agents work, then counts.

    python -m tests.chaos [--seconds 120] [--agents 50] [--seed 1]

Threads speak to a server of their own over HTTP: they tell the agents things to remember and let them call a tool in the sandbox.
Meanwhile the worker, the web server, the database or the whole server is killed every few seconds. At the end every run has to come
to an end, and the books (``tests/chaos/books.py``) have to balance. Prints what happened; exits with 1 when anything is lost, doubled
or stuck.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.chaos.books import problems, tally
from tests.chaos.people import Crowd
from tests.e2e.serving import Server

VICTIMS = {"worker": "agent_worker", "web server": "webserver", "database": "bin/postgres"}
EVERYTHING = "everything"
PAUSE_S = (1.0, 6.0)
PATIENCE_S = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kills everything, then counts.")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    print(f"{asked.agents} agents for {asked.seconds:g} s, seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mnemoscope-chaos-") as folder:
        with Server(Path(folder) / "home", OFFLINE_DELAY_MS="30") as server:
            crowd = Crowd(server, asked.agents)
            with crowd:
                killed = kill_for(server, asked.seconds, random.Random(asked.seed))
            waited_s = crowd.wait_for_the_end(PATIENCE_S)
            found = [*crowd.problems(), *problems(server.home, crowd.acknowledged)]
            print(f"killed: {dict(killed)}")
            print(
                f"counted: {tally(server.home)}, {len(crowd.acknowledged)} messages acknowledged; at rest after {waited_s:.1f} s"
            )
            server.stop()
        for problem in found[:50]:
            print(f"PROBLEM: {problem}")
        print(f"{len(found)} problems")
        if found:
            print(server.output[-5000:], file=sys.stderr)
    return bool(found)


def kill_for(server: Server, seconds: float, chance: random.Random) -> Counter[str]:
    """Kills something every few seconds and sees to it that there is a server again; gives how often what was killed."""
    killed: Counter[str] = Counter()
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        time.sleep(chance.uniform(*PAUSE_S))
        victim = chance.choices([*VICTIMS, EVERYTHING], weights=[5, 3, 2, 2])[0]
        if victim == EVERYTHING:
            server.process.kill()
            server.process.wait()
            server.launch()
            server.wait_for("Mnemoscope is at")
            killed[victim] += 1
        else:
            killed[victim] += _kill_child(server, VICTIMS[victim])
    return killed


def _kill_child(server: Server, words: str) -> bool:
    try:
        server.child(words).kill()
    except AssertionError:  # it is not back yet
        return False
    return True


if __name__ == "__main__":
    threading.excepthook = lambda failed: (sys.__excepthook__(*failed[:3]), sys.stdout.flush())  # type: ignore[misc]
    sys.exit(main())
