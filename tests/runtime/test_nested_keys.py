"""The nested key-value task of the MemGPT paper (arXiv 2310.08560, section 3.2.2): values that are keys again, found by searching archival
memory until one leads no further."""

import json
import random
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import archives
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.memory.archival.base import PassageDraft
from tests.runtime.world import make_agent, say, spoken

PAIRS = 140
MOST_HOPS = 4


def key_pairs(hops: int, chance: random.Random) -> tuple[dict[str, str], str]:
    """``PAIRS`` pairs of which ``hops`` follow each other, and the key to begin with."""
    ids = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(2 * PAIRS)]
    keys, values = ids[:PAIRS], ids[PAIRS:]
    for place in range(hops):
        values[place] = keys[place + 1]
    return dict(zip(keys, values, strict=True)), keys[0]


def followed(pairs: dict[str, str], key: str) -> list[str]:
    """The key and what it leads to, to the end."""
    chain = [key]
    while chain[-1] in pairs:
        chain.append(pairs[chain[-1]])
    return chain


def searcher(request: ModelRequest) -> Answer | str:
    """Looks up what it was asked for, then what that gives, until a search finds nothing under it."""
    asked = request.messages[-1 - [m.role for m in reversed(request.messages)].index("user")].text
    found = [m.text for m in request.messages if m.role == "tool"]
    wanted = asked
    for returned in found:
        value = value_in(returned, wanted)
        if value is None:
            return wanted
        wanted = value
    return Answer(calls=[("archival_memory_search", {"query": wanted})])


def value_in(returned: str, key: str) -> str | None:
    for passage in json.loads(returned)["message"]:
        name, _, value = passage["content"].partition(": ")
        if name == key:
            return str(value)
    return None


@pytest.mark.parametrize("hops", range(MOST_HOPS + 1))
async def test_values_behind_values_are_found_by_searching_archival_memory(hops: int) -> None:
    chance = random.Random(hops)
    agent = await make_agent([searcher] * 60, tools=["archival_memory_search"], message_buffer_autoclear=True)
    archive = await sync_to_async(archives.own_archive)(agent.id)
    pairs, first = key_pairs(hops, chance)
    drafts = [PassageDraft(archive.id, f"{key}: {value}") for key, value in pairs.items()]
    chance.shuffle(drafts)
    await archives.insert(archive, drafts)
    for key in [first, *chance.sample(list(pairs), 5)]:
        chain = followed(pairs, key)
        ended = await say(agent, key)
        assert spoken(ended.messages[-1]) == chain[-1]
        assert ended.steps == len(chain) + 1, "one search for each key, one for the value that is none, and the answer"
