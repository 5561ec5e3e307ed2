"""The search of everything, the palette, and the addresses of single things: each hit opens exactly what was found."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from lxml import html

from ade.searching import Search, message_statement, passage_statement
from agents_core.actions import agents, archives, files, folders, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import Agent, Conversation, File, Message, Run, Step, Tool, ToolCase
from agents_core.runtime.filing import process
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

TOOL = 'def ferry_times(day: str) -> str:\n    """Tell when the ferry leaves.\n\n    Args:\n        day: Which.\n    """\n    return "9"\n'


def make(name: str) -> Agent:
    human = [{"label": "human", "value": f"{name} crosses by ferry."}]
    return agents.create(NewAgent(name=name, model="offline/rules", memory_blocks=human))


def say(agent: Agent, text: str) -> Run:
    sent = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, sent.run_id, None, 1))
    return Run.objects.get(id=sent.run_id)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """One that has spoken of ferries, besides another that has too."""
    made, other = make("Sailor"), make("Harbour master")
    say(made, "The ferries to Barreiro are cheaper on Sundays.")
    say(other, "No ferry goes today.")
    archive = archives.own_archive(made.id)
    finish(archives.insert(archive, [PassageDraft(archive.id, "A ferry ticket costs little.", tags=["sea"])]))
    tools.upsert({"source_code": TOOL})
    return made


@pytest.fixture
def file(agent: Agent) -> File:
    folder = folders.create({"name": "Timetables"})
    stored, _ = files.upload(folder.id, "ferry.txt", b"The last ferry leaves Cais do Sodre at midnight.")
    finish(process(stored.id, 1))
    folders.attach(agent.id, folder.id)
    return stored


def search(query: str) -> Any:
    answer = Client().get(f"/search?{query}")
    assert answer.status_code == 200
    return html.fromstring(answer.content)


def hits(page: Any) -> list[tuple[str, str, str]]:
    """The kind of each hit, its address and what is marked in it."""
    return [
        (section.get("aria-labelledby").removeprefix("found-"), hit.get("href"), " ".join(hit.xpath(".//mark/text()")))
        for section in page.xpath("//*[@id='found']//section")
        for hit in section.xpath(".//a[contains(@class, 'hit')]")
    ]


def test_everything_that_holds_the_words_is_found_with_the_words_marked(agent: Agent, file: File) -> None:
    found = hits(search("q=ferry"))
    assert {kind for kind, _, _ in found} == {"blocks", "messages", "passages", "files", "tools"}
    assert all(re.search("ferr(y|ies)", marked) for _, _, marked in found)
    assert len([1 for kind, _, _ in found if kind == "messages"]) >= 2


def test_each_hit_opens_a_page_that_shows_it(agent: Agent, file: File) -> None:
    for kind, address, _ in hits(search("q=ferry")):
        answer = Client().get(address)
        assert answer.status_code == 200, address
        assert "ferr" in answer.content.decode(), (kind, address)


def test_all_words_have_to_be_there_and_quoted_ones_together(agent: Agent) -> None:
    assert hits(search("q=ferries+sundays"))
    assert not hits(search("q=ferries+mondays"))
    assert hits(search("q=%22cheaper+on+sundays%22"))
    assert not hits(search("q=%22sundays+cheaper%22"))


def test_kind_agent_and_time_narrow_it(agent: Agent) -> None:
    other = Agent.objects.get(name="Harbour master")
    assert {kind for kind, _, _ in hits(search("q=ferry&kind=messages"))} == {"messages"}
    assert hits(search(f"q=ferry&agent={other.id}"))
    assert not [address for _, address, _ in hits(search(f"q=ferry&agent={other.id}")) if agent.id in address]
    assert not hits(search("q=ferry&until=2001-01-01&kind=messages"))
    assert hits(search("q=ferry&since=2001-01-01&kind=messages"))


ODD = [
    "",
    "q=",
    "q=%20",
    "q=%00",
    "q=%22%22",
    "q=%25_%5C",
    "q=" + "a" * 5000,
    "q=x&kind=none&agent=none",
    "q=xyz&since=soon",
]
ODD += ["q=xyz&since=2026-02-02&until=2026-01-01", "q=%F0%9F%A6%8A", "q=%ED%A0%80", "q=%28%5B.%2A"]


def test_whatever_is_asked_gets_a_page(agent: Agent) -> None:
    assert [query for query in ODD if hits(search(query))] == []


def test_hidden_agents_and_deleted_passages_are_not_found(agent: Agent) -> None:
    Agent.objects.filter(id=agent.id).update(hidden=True)
    archive = archives.own_archive(agent.id)
    archives.delete_passage(archive.passages.get().id, [archive.id])
    assert not [address for _, address, _ in hits(search("q=ferries")) if agent.id in address and "message" in address]
    assert "passages" not in {kind for kind, _, _ in hits(search("q=ferry"))}


def test_postings_are_looked_up_by_owner_and_word_in_a_large_history(agent: Agent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (id, agent_id, seq, role, content, tool_calls, tool_returns, indexed) "
            "SELECT 'message-' || n, %s, 1000000 + n, 'user', '[]', '[]', '[]', true FROM generate_series(1, 20000) AS n",
            [agent.id],
        )
        cursor.execute(
            "INSERT INTO message_term (agent_id, lexeme, message_id, frequency, length) "
            "SELECT %s, 'word' || n %% 2000, 'message-' || n, 1, 1 FROM generate_series(1, 20000) AS n",
            [agent.id],
        )
        cursor.execute("ANALYZE message; ANALYZE message_term; ANALYZE passage_term")
        statement = message_statement(Search("word7"))
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", statement.params)
        [[plan]] = cursor.fetchall()
        read = scans(json.loads(plan) if isinstance(plan, str) else plan, "message_term")
    assert read
    assert not [node for node, _ in read if "Seq" in node]
    assert sum(rows for _, rows in read) < 100
    assert passage_statement(Search("word7")).sql


def scans(plan: Any, table: str) -> list[tuple[str, float]]:
    """How each node of the plan that reads the table does so, and how many rows it gave in all its loops."""
    if isinstance(plan, list):
        return [found for each in plan for found in scans(each, table)]
    node = plan.get("Plan", plan)
    own = (
        [(node["Node Type"], node["Actual Rows"] * node["Actual Loops"])] if node.get("Relation Name") == table else []
    )
    return own + scans(node.get("Plans", []), table)


# --- the palette --------------------------------------------------------------------------------------------------


def offered(query: str, agent: Agent | None = None) -> dict[str, str]:
    """Address to title of what the palette offers."""
    page = Client().get("/palette", {"q": query, "agent": agent.id if agent else ""}).content.decode()
    return {
        each.get("href"): "".join(each.xpath("./b/text()"))
        for each in html.fragments_fromstring(f"<i>{page}</i>")[0].xpath("./a")
    }


def test_places_of_every_kind_are_offered(agent: Agent, file: File) -> None:
    assert f"/agents/{agent.id}" in offered("slr") or f"/agents/{agent.id}" in offered("sail")
    assert f"/tools/{Tool.objects.get(name='ferry_times').id}" in offered("ferrytim")
    assert f"/folders/{file.folder_id}" in offered("timet")
    assert f"/folders/{file.folder_id}?file={file.id}" in offered("ferry.txt")
    assert "/settings" in offered("provid")
    assert f"/agents/{agent.id}?main=settings&section=budgets" in offered("budgets", agent)
    assert f"/agents/{agent.id}?aside=recall" in offered("recall", agent)
    assert offered("sail tours")["/search?q=sail%20tours"] == ""


def test_a_step_is_offered_by_its_number_on_its_agents_page_and_of_others_elsewhere(agent: Agent) -> None:
    for query in ("step 1", "#1", "1", "Step #1"):
        assert f"/agents/{agent.id}/steps/1" in offered(query, agent)
    assert len([address for address in offered("step 1") if address.endswith("/steps/1")]) == 2
    assert not [address for address in offered("step 99999", agent) if "/steps/" in address]


def test_blocks_of_one_label_come_with_their_agents_those_of_the_page_first(agent: Agent) -> None:
    addresses = [address for address in offered("human", agent) if "block=" in address]
    assert len(addresses) == 2
    assert agent.id in addresses[0]


def test_the_palette_takes_whatever_is_typed(agent: Agent) -> None:
    for query in ("", "\x00", "[a-z", "(", "\\", "%", "a" * 3000, "step 999999999999", "🦊"):
        for agent_id in (agent.id, "agent-none"):
            assert Client().get("/palette", {"q": query, "agent": agent_id}).status_code == 200


# --- addresses ----------------------------------------------------------------------------------------------------


def test_an_id_leads_to_the_page_that_shows_it(agent: Agent, file: File) -> None:
    message = Message.objects.filter(agent=agent, role="user").latest("seq")
    passage = archives.own_archive(agent.id).passages.get()
    run, step = Run.objects.filter(agent=agent).latest("first_seq"), Step.objects.filter(agent=agent).first()
    tool = Tool.objects.get(name="ferry_times")
    case = ToolCase.objects.create(tool=tool, name="on a day", arguments={"day": "Monday"})
    for thing_id in (
        agent.id,
        agent.blocks.get().id,
        message.id,
        passage.id,
        run.id,
        step.id,
        tool.id,
        file.id,
        file.folder_id,
    ):
        answer = Client().get(f"/go/{thing_id}", follow=True)
        assert answer.status_code == 200, thing_id
    assert 'aria-current="true"' in Client().get(f"/go/{message.id}", follow=True).content.decode()
    assert Client().get(f"/go/case-{case.id}").headers["Location"] == f"/tools/{tool.id}#case-{case.id}"


def test_an_id_of_nothing_is_told_so(agent: Agent) -> None:
    for thing_id in (f"agent-{UUID(int=0)}", "nothing", "case-x", "case-9", "-", "run-" + "9" * 500):
        answer = Client().get(f"/go/{thing_id}")
        assert answer.status_code == 404
        assert "may have been deleted" in answer.content.decode()


def test_a_message_is_shown_among_those_around_it_and_another_agents_not(agent: Agent) -> None:
    for number in range(12):
        say(agent, f"Message number {number}.")
    middle = Message.objects.filter(agent=agent, role="user").order_by("seq")[6]
    page = html.fromstring(Client().get(f"/agents/{agent.id}?aside=recall&message={middle.id}").content)
    shown = page.xpath("//*[@id='panel-recall']//details[contains(@class, 'passage')]")
    assert len(shown) == 11
    assert [each.get("id") for each in shown if each.get("aria-current")] == [f"recall-{middle.id}"]
    other = Agent.objects.get(name="Harbour master")
    assert "No such message" in Client().get(f"/agents/{other.id}?aside=recall&message={middle.id}").content.decode()


def test_opening_links_changes_nothing(agent: Agent) -> None:
    def state() -> Any:
        return (
            list(Agent.objects.values_list("event_seq", "updated_at")),
            Message.objects.count(),
            Conversation.objects.count(),
        )

    before = state()
    for address in (
        f"/agents/{agent.id}/steps/1?seg=core.human&diff=1",
        f"/go/{agent.id}",
        "/tour",
        f"/agents/{agent.id}?tour=1",
    ):
        Client().get(address, follow=True)
    assert state() == before
