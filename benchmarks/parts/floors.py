"""The baselines that everything else is a multiple of."""

from time import perf_counter

import psycopg

from agents_core.embedded.place import Place
from benchmarks.bench import HEALTH, Bench, get
from benchmarks.client import Client
from benchmarks.model import request_of
from benchmarks.table import Row

PART = "Floors"


async def measure(bench: Bench, model_port: int) -> list[Row]:
    """Measures the floors and notes those that others are compared with."""
    async with Client(bench.port) as client, Client(model_port) as model:
        await bench.row(PART, "", [[get(client, HEALTH)] * 50])
        health = await bench.row(PART, f"`GET {HEALTH}`", [[get(client, HEALTH)] * bench.few(200)])
        asked = request_of("Hello, how are you?")
        answers = [lambda: model.ask("POST", "/v1/chat/completions", asked)] * bench.few(100)
        answer = await bench.row(PART, "the model's answer, asked directly", [answers])
    bench.health_ms, bench.model_ms = health.p50, answer.p50
    return [Row(PART, "`select 1` on the database", _selects(bench)), health, Row(PART, answer.name, answer.times_ms)]


def _selects(bench: Bench) -> list[float]:
    times = []
    with psycopg.connect(**Place(bench.server.home).connection(), autocommit=True) as connection:
        for _ in range(bench.few(200)):
            began = perf_counter()
            connection.execute("select 1").fetchone()
            times.append((perf_counter() - began) * 1000)
    return times
