"""What the screenshots show: agents that have lived a little, made through the API as a program would."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from letta_client import Letta

MODEL = "offline/rules"

FIND_FLIGHTS = '''def find_flights(origin: str, destination: str, max_price_eur: int = 600, direct: bool = True) -> list[dict]:
    """Find flights between two airports.

    Args:
        origin: IATA code of the airport to leave from.
        destination: IATA code of the airport to reach.
        max_price_eur: Highest price of one seat, in euros.
        direct: Leave out flights with a stop.
    """
    print(f"asking for {origin} to {destination}")
    timetable = [("TP 217", 548, 0), ("TP 215", 571, 0), ("IB 613", 412, 1)]
    return [
        {"flight": flight, "price_eur": price, "stops": stops}
        for flight, price, stops in timetable
        if price <= max_price_eur and not (direct and stops)
    ]
'''
FETCH_MAIL = '''def fetch_mail(mailbox: str) -> str:
    """Fetch the newest letters.

    Args:
        mailbox: Name of the mailbox.
    """
    import time

    time.sleep(4)
    return f"nothing new in {mailbox}"
'''
CONVERT = '''def convert_currency(amount: float, rate: float = 1.08) -> float:
    """Convert euros into dollars.

    Args:
        amount: Euros.
        rate: Dollars for one euro.
    """
    return round(amount * rate, 2)
'''

LETTERS = '''def {name}(letter: str = "") -> str:
    """{what}.

    Args:
        letter: Number of the letter.
    """
    return "done"
'''
LETTER_TOOLS = {
    "open_letter": "Open the next letter",
    "sort_letter": "Say what a letter asks for",
    "find_patient": "Find the patient whom a letter is about",
    "draft_reply": "Draft an answer",
    "send_reply": "Send the draft",
    "call_doctor": "Ask the doctor on duty to call",
    "file_away": "File a letter",
    "write_log": "Log what was done",
    "search_archive": "Search older letters",
}
LETTER_RULES: list[Any] = [
    {"type": "run_first", "tool_name": "open_letter"},
    {"type": "constrain_child_tools", "tool_name": "open_letter", "children": ["sort_letter"]},
    {
        "type": "conditional",
        "tool_name": "sort_letter",
        "child_output_mapping": {"urgent": "call_doctor", "question": "find_patient"},
        "default_child": "file_away",
    },
    {"type": "constrain_child_tools", "tool_name": "find_patient", "children": ["draft_reply", "call_doctor"]},
    {"type": "max_count_per_step", "tool_name": "find_patient", "max_count_limit": 3},
    {"type": "parent_last_tool", "tool_name": "draft_reply", "children": ["send_reply"]},
    {"type": "requires_approval", "tool_name": "send_reply"},
    {"type": "required_before_exit", "tool_name": "write_log"},
    {"type": "exit_loop", "tool_name": "send_reply"},
    {"type": "exit_loop", "tool_name": "file_away"},
]

POLICY = """Answer in the language of the question.
Quote prices with taxes and luggage.
Never book red-eye flights.
Ask before anything is paid."""
HUMAN = "Travels with two children, Tomás and Clara."
PERSONA = """I plan trips for one family, from the first idea to the boarding pass.
I remember preferences and papers, and I say where I know something from."""

PASSAGES = (
    ("The small hotel near Boavista had a crib and a quiet courtyard.", ("hotels", "porto"), 210),
    ("Flew TAP to Newark in 2024 and liked the morning departure.", ("flights",), 180),
    ("The family passports expire in May 2027.", ("papers",), 160),
    ("Clara gets sick on long drives: stop every ninety minutes.", ("family",), 150),
    ("Lisbon airport: the lounge in terminal 1 takes families before noon.", ("flights", "lisbon"), 120),
    ("Travel insurance runs until the end of the year, policy 88-1204.", ("papers",), 101),
    ("Flight preferences: an aisle seat, morning departures, never a red-eye.", ("flights", "preferences"), 90),
    ("Tomás is old enough for the junior rate on trains from September.", ("family", "trains"), 77),
    ("The apartment in Alfama has no lift and four flights of stairs.", ("hotels", "lisbon"), 61),
    ("Hotel preferences: two connected rooms, breakfast before seven.", ("hotels", "preferences"), 44),
    ("Boston in March is cold: pack the boots and the good gloves.", ("boston",), 21),
    ("The cousins in Boston can lend a car seat and a stroller.", ("boston", "family"), 9),
)

_NOTES = """\
Remember this plan: we want to be in Boston from the seventh to the fifteenth of March, because the congress of
cardiology begins on the eighth and the cousins are free on the weekend after it. The children come along, so the
flight has to leave in the morning and must not have a stop. The first three nights should be near the congress
centre, the rest near the cousins in Cambridge, with two rooms that are connected and breakfast before seven.

Remember this list for packing: boots and good gloves for everybody, the small stroller, the blue bag with the
medicine against travel sickness, chargers with the American plug, the letters of invitation from the congress, the
consent of the father for the border, copies of the passports, snacks for nine hours, the two books about whales,
swimming things for the hotel, and a present for the cousins that is not made of glass this time.

Remember this about the last trip: the connection in Madrid was too short, the luggage came a day later and the
airline paid for clothes only after three letters. We decided never to take a connection under two hours again, to
keep one change of clothes for each child in the cabin, and to photograph the luggage before we hand it over. The
hotel by the airport was loud, yet the driver who brought us there was patient and had a seat for Clara.

Remember this about food: Clara eats no nuts and carries her own medicine, Tomás eats everything but mushrooms, and
nobody wants dinner before a flight. On the way back we would like a seat near the galley, because warm milk was
hard to get last time. In Boston the cousins know a place with good soup that opens at eleven, and the market by the
harbour has fruit until late. A kitchen in the apartment would be better than another restaurant.

Remember this about money: the congress pays for one ticket and three nights, the rest is ours. One seat may cost
six hundred euros with luggage, the rooms two hundred a night, and the train from the airport is cheaper than any
car. The card for journeys has no fee abroad, the other one has. Receipts must name the congress and the dates, else
the hospital will not pay them back, and they must be handed in within thirty days after the journey.

Remember this about papers: the permission to enter America costs a few dollars and must be asked for by each of us
at least three days before the flight, with the number of the new passport and not of the old one. The consent of
the father needs a stamp from the notary and an English copy. The vaccination books stay at home, yet the letter of
the doctor about the medicine of Clara comes along, in English, signed, and not older than a month.

Remember this about Cambridge: the cousins live ten minutes from the river, the key is with their neighbour on the
second floor, and the heating of the guest room is slow, so it should be turned on the day before. The school of the
cousins lets guests sit in on Friday, which Tomás would love. The museum with the glass flowers is free on Sunday
morning for people who live there, and the cousins can take us in. Snow boots stand in the cellar.

Remember this about the congress: the talk is on the second day at half past nine, the slides must be handed in the
evening before, and there is a room for children with two nurses until six. The dinner of the society is on the
third evening and begins late, so somebody has to be with the children. The poster is in a tube that counts as
luggage for the cabin on this airline, which we asked twice and have in writing since last week.
"""
NOTES = tuple(" ".join(note.split()) for note in _NOTES.split("\n\n"))

TOLD = (
    "Hi! My name is Inês and I work as a cardiologist.",
    "I live in Porto.",
    "I prefer aisle seats.",
    'call find_flights with origin="LIS", destination="BOS", max_price_eur=600, direct=true',
    *NOTES,
    "What do you know about me?",
    "Who can lend a car seat in Boston?",
    "Where is the key of the cousins in Cambridge?",
    "I am allergic to penicillin.",
    "When do our passports expire?",
)
"""Long enough that at the last of it the oldest messages leave a small window."""
LAST = "I moved to Lisbon last month. What are our flight preferences?"


@dataclass(frozen=True, slots=True)
class Demo:
    """The ids of what was made. ``base_step``: the step of the concierge that its window is compared with."""

    concierge: str
    human: str
    triage: str
    tool: str
    base_step: int
    desk: str


def furnish(client: Letta) -> Demo:
    find, fetch, convert = (client.tools.create(source_code=code) for code in (FIND_FLIGHTS, FETCH_MAIL, CONVERT))
    policy = client.blocks.create(label="team_policy", value=POLICY, limit=2000, description="What all of us keep to.")
    triage = _others(client, policy.id, fetch.name or "")
    human = client.blocks.create(
        label="human", value=HUMAN, limit=2000, description="What I know about the person I talk with."
    )
    persona = client.blocks.create(label="persona", value=PERSONA, limit=2000, description="Who I am and how I work.")
    concierge = client.agents.create(
        name="travel-concierge",
        description="Plans trips for one family; remembers preferences and papers.",
        model=MODEL,
        context_window_limit=8192,
        block_ids=[human.id, persona.id, policy.id],
        tools=["archival_memory_insert", "archival_memory_search", find.name or "", convert.name or ""],
        tags=["travel"],
    )
    _remember(client, concierge.id)
    for text in TOLD[:-1]:
        say(client, concierge.id, text)
    base_step = len(client.steps.list(agent_id=concierge.id, limit=100).items)
    say(client, concierge.id, TOLD[-1])
    value = client.blocks.retrieve(human.id).value
    client.blocks.update(human.id, value=f"{value}\nNever book red-eye flights.")
    for expression in ("len(block.human)", "tokens.total", '"Lisbon" in block.human'):
        client.post(f"/v1/agents/{concierge.id}/watches", cast_to=object, body={"expression": expression})
    return Demo(concierge.id, human.id, triage, find.id, base_step, letter_desk(client))


def _others(client: Letta, policy_id: str, mail_tool: str) -> str:
    """Agents of other kinds, some almost empty, some almost full; gives the id of the one that can be kept busy."""
    example = _agent(client, "example", "A first agent to talk to.", ["demo"])
    reader = _agent(client, "paper-reader", "Reads and keeps notes.", ["research"], window=8192)
    broken = _agent(client, "night-report", "Writes a report every night.", ["operations"])
    us = _agent(client, "support-us", "Answers customers.", ["support"], "memgpt_v2_agent", 4096, [policy_id])
    eu = _agent(client, "support-eu", "Answers customers.", ["support"], "memgpt_v2_agent", 8192, [policy_id])
    triage = _agent(client, "inbox-triage", "Sorts letters by what they ask for.", ["operations"], tools=[mail_tool])
    say(client, example, "My name is Bo.")
    for text in NOTES[:5]:
        say(client, reader, text)
    for agent_id, count in ((us, 3), (eu, 2)):
        for text in ("My name is Ana.", *NOTES[:count]):
            say(client, agent_id, text)
    say(client, triage, "Remember that invoices go to the office of the clinic.")
    client.agents.update(broken, model="offline/missing")
    client.agents.messages.create_async(broken, input="Write the report.")
    return triage


def letter_desk(client: Letta) -> str:
    """An agent whose tools are put in order by rules of every kind; gives its id."""
    for name, what in LETTER_TOOLS.items():
        client.tools.create(source_code=LETTERS.format(name=name, what=what))
    agent_id = _agent(client, "letter-desk", "Answers letters in the order that the clinic wants.", ["operations"])
    for tool in client.tools.list(limit=100).items:
        if tool.name in LETTER_TOOLS:
            client.agents.tools.attach(tool.id, agent_id=agent_id)
    client.agents.update(agent_id, tool_rules=LETTER_RULES)
    return agent_id


def _agent(
    client: Letta,
    name: str,
    description: str,
    tags: list[str],
    kind: Any = "letta_v1_agent",
    window: int = 32_000,
    shared: list[str] | None = None,
    tools: list[str] | None = None,
) -> str:
    blocks: list[Any] = [
        {"label": "human", "value": "", "limit": 2000},
        {"label": "persona", "value": f"I am {name}. {description}", "limit": 2000},
    ]
    return client.agents.create(
        name=name,
        description=description,
        agent_type=kind,
        model=MODEL,
        context_window_limit=window,
        memory_blocks=blocks,
        block_ids=shared or [],
        tools=["archival_memory_insert", "archival_memory_search", *(tools or [])],
        tags=tags,
    ).id


def _remember(client: Letta, agent_id: str) -> None:
    now = datetime.now(UTC)
    for text, tags, days in PASSAGES:
        client.agents.passages.create(
            agent_id, text=text, tags=list(tags), created_at=(now - timedelta(days=days)).isoformat()
        )


def say(client: Letta, agent_id: str, text: str) -> None:
    client.agents.messages.create(agent_id, input=text)
