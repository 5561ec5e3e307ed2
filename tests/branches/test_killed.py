"""A process that is killed in the middle of a fork or a rewind leaves nothing half done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from agents_core.memory.digest import state_digest
from agents_core.models import Agent, Block, Branch, Message
from agents_core.models.pipeline import connection_settings
from tests.branches.lived import lived, step_numbers

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import django
django.setup()
from agents_core.actions import forks, rewind
print("ready", flush=True)
{call}
"""


def database_url() -> str:
    given = connection.settings_dict
    user, password = quote(given["USER"]), quote(given["PASSWORD"] or "")
    return f"postgresql://{user}:{password}@/{given['NAME']}?host={quote(str(given['HOST']), safe='')}&port={given['PORT'] or 5432}"


def killed_while_it_waits_for(table: str, call: str) -> None:
    """Runs ``call`` in a process of its own, which is killed while it waits for ``table``."""
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "ade.settings"}
    with psycopg.connect(**connection_settings()) as holding:
        holding.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        program = PROGRAM.format(call=call)
        process = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, env=environment)
        try:
            while not holding.execute(WAITING).fetchone():
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"


@pytest.mark.parametrize("call", ["forks.fork({agent!r}, {step})", "rewind.rewind({agent!r}, {step})"])
async def test_nothing_of_it_is_there(call: str) -> None:
    agent = await lived(2)
    step = (await step_numbers(agent))[2]
    before = await sync_to_async(state_digest)(agent.id)
    counts = [await model.objects.acount() for model in (Agent, Block, Message, Branch)]
    table = "eviction" if "fork" in call else "message"
    await sync_to_async(killed_while_it_waits_for)(table, call.format(agent=agent.id, step=step))
    assert [await model.objects.acount() for model in (Agent, Block, Message, Branch)] == counts
    assert await sync_to_async(state_digest)(agent.id) == before
