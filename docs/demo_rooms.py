"""What the screenshots show beside the agents of ``docs.demo``: files, a group, an MCP server, agents that ask or are tended."""

from dataclasses import dataclass
from typing import Any

from letta_client import Letta

from docs.demo import MODEL, say

POST_LETTER = '''def post_letter(to: str, subject: str) -> str:
    """Post a letter.

    Args:
        to: Whom it goes to.
        subject: What it is about.
    """
    return f"sent to {to}"
'''
GUIDE = "\n\n".join(
    f"Chapter {number}. {text}"
    for number, text in enumerate(
        (
            "The line from the airport to the centre takes thirty minutes and takes strollers at every stop.",
            "Museums are free on the first Sunday of the month; the one with the whales is closed on Mondays.",
            "The market by the harbour opens at seven. Soup is served from eleven, and nobody minds children.",
            "A ferry crosses the bay every half hour until nine in the evening, and in winter until six.",
        ),
        start=1,
    )
)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The ids of what was made. ``asking``: an agent whose call waits for a person; ``tended``: one with a sleep-time agent."""

    asking: str
    tended: str
    folder: str
    file: str
    group: str
    mcp_server: str


def furnish_rooms(client: Letta) -> Rooms:
    tended = _agent(client, "family-diary", "Writes down what the day brought.", enable_sleeptime=True)
    for text in (
        "My name is Clara.", "I live in Lisbon.", "We saw the whales today.", "I prefer window seats.", "Tomás lost a tooth.",
        "Remember that the concert is on Friday.",
    ):  # fmt: skip
        say(client, tended, text)
    folder: Any = client.folders.create(name="City guides", description="What to see, and when.")
    file = client.folders.files.upload(folder.id, file=("boston.md", GUIDE.encode()))
    client.agents.folders.attach(folder.id, agent_id=tended)
    return Rooms(_asking(client), tended, folder.id, str(file.id), _group(client), _mcp_server(client))


def _agent(client: Letta, name: str, description: str, **fields: Any) -> str:
    blocks: Any = [{"label": "human", "value": ""}, {"label": "persona", "value": f"I am {name}. {description}"}]
    return client.agents.create(name=name, description=description, model=MODEL, memory_blocks=blocks, **fields).id


def _asking(client: Letta) -> str:
    tool = client.tools.upsert(source_code=POST_LETTER, default_requires_approval=True)
    agent_id = _agent(client, "letter-writer", "Writes to offices, and asks before a letter goes.", tool_ids=[tool.id])
    say(client, agent_id, 'call post_letter with to="the consulate", subject="A visa for Clara"')
    return agent_id


def _group(client: Letta) -> str:
    members = [
        _agent(client, "trip-planner", "Plans the days."),
        _agent(client, "trip-treasurer", "Keeps the budget."),
        _agent(client, "trip-packer", "Knows what to pack."),
    ]
    body = {"agent_ids": members, "description": "Planning the week in Boston"}
    made: Any = client.post("/v1/groups/", cast_to=object, body=body)
    said = {"messages": [{"role": "user", "content": "Remember that we fly to Boston on the seventh of March."}]}
    client.post(f"/v1/groups/{made['id']}/messages", cast_to=object, body=said)
    return str(made["id"])


def _mcp_server(client: Letta) -> str:
    """This server's own tools, as another program finds them."""
    config = {"mcp_server_type": "streamable_http", "server_url": f"{str(client.base_url).rstrip('/')}/mcp"}
    body = {"server_name": "mnemoscope", "config": config}
    made: Any = client.post("/v1/mcp-servers/", cast_to=object, body=body)
    return str(made["id"])
