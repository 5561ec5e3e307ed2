"""Groups in the IDE: made, spoken to, and followed while their agents speak."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from lxml import html

from ade.group_page import live_fragments
from ade.page_consumers import GroupConsumer
from agents_core.actions import agents, groups
from agents_core.actions.messages import Input
from agents_core.actions.new_agent import NewAgent
from agents_core.llm.providers.scripted import script
from agents_core.models import Agent, Group, GroupTurn, Run
from agents_core.runtime import group_turns
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20
STRANGE_IDS = ("group-none", "☃", "x" * 3000, "a%00b")


def make(name: str, *answers: str) -> Agent:
    script(f"of-{name}", list(answers) or [f"I am {name}."] * 9)
    return agents.create(NewAgent(name=name, model=f"scripted/of-{name}", include_base_tools=False))


@pytest.fixture
def members(builtin_tools: None) -> list[Agent]:
    return [make("Ada"), make("Bea")]


@pytest.fixture
def group(members: list[Agent]) -> Group:
    return groups.create([member.id for member in members], description="Two")


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


async def played(group: Group) -> None:
    """Carries out the group's next turn, without a worker."""
    turn = await GroupTurn.objects.filter(group=group, status="created").alatest("-created_at")
    ended = group_turns._ended

    async def at_once(run_id: str) -> None:
        run = await Run.objects.aget(id=run_id)
        await execute(run.agent_id, run_id, None, 1)

    group_turns._ended = at_once
    try:
        await group_turns.execute(turn.id)
    finally:
        group_turns._ended = ended


def send(client: Client, group: Group, words: str = "Who are you?") -> None:
    assert client.post(f"/groups/{group.id}/messages", {"text": words}).status_code == 204


def page(client: Client, group: Group, query: str = "") -> html.HtmlElement:
    answer = client.get(f"/groups/{group.id}{query}")
    assert answer.status_code == 200
    return html.document_fromstring(answer.content.decode())


def said(shown: html.HtmlElement) -> list[tuple[str, str]]:
    return [
        (line.find_class("k")[0].text_content(), words.text_content())
        for line in shown.find_class("ev")
        for words in line.find_class("say")
    ]


# --- making -------------------------------------------------------------------------------------------------------


def test_a_group_is_made_of_those_chosen_in_their_order(client: Client, members: list[Agent]) -> None:
    ids = [member.id for member in members[::-1]]
    given = {"manager_type": "round_robin", "description": "Two", "members": ids, "max_turns": "4"}
    answer = client.post("/groups/new", given)
    made = Group.objects.get()
    assert answer["HX-Redirect"] == f"/groups/{made.id}"
    assert (groups.member_ids(made.id), made.max_turns, made.manager) == (ids, 4, None)


def test_who_leads_is_no_member(client: Client, members: list[Agent]) -> None:
    boss, other = members
    given = {"manager_type": "dynamic", "members": [boss.id, other.id], "manager": boss.id, "termination_token": "OK"}
    client.post("/groups/new", given)
    made = Group.objects.get()
    assert (made.manager_id, groups.member_ids(made.id), made.termination_token) == (boss.id, [other.id], "OK")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"manager_type": "round_robin", "members": []},
        {"manager_type": "dynamic"},
        {"manager_type": "supervisor", "manager": "agent-none"},
        {"manager_type": "sleeptime"},
        {"manager_type": "☃"},
        {"manager_type": "round_robin", "members": ["agent-none"]},
        {"manager_type": "round_robin", "members": ["\x00"]},
        {"manager_type": "round_robin", "members": ["x" * 100_000]},
        {"manager_type": "round_robin", "max_turns": "0"},
        {"manager_type": "round_robin", "max_turns": "many"},
        {"manager_type": "round_robin", "max_turns": "9" * 400},
        {"manager_type": "round_robin", "description": "x" * 3000},
        {"manager_type": "round_robin", "description": "\x00"},
        {"manager_type": "round_robin", "termination_token": "x" * 300},
    ],
)
def test_a_group_that_could_not_work_is_refused_in_words(
    client: Client, members: list[Agent], given: dict[str, Any]
) -> None:
    wanted = {"members": [members[0].id], **given}
    answer = client.post("/groups/new", wanted)
    assert answer.status_code == 422
    assert html.fragment_fromstring(answer.content.decode()).get("role") == "alert"
    assert 400 <= Client().post("/groups/new", wanted).status_code < 500
    assert not Group.objects.exists()


def test_agents_are_found_and_those_chosen_stay(client: Client, members: list[Agent]) -> None:
    ada, bea = members
    listed = client.get(f"/groups/agents?q=ada&members={bea.id}&manager=%00{ada.id}").content.decode()
    assert listed.index(bea.id) < listed.index(ada.id)
    assert f'name="members" value="{bea.id}" checked' in listed
    assert f'name="manager" value="{ada.id}" checked' in listed
    assert "No agent is called so" in client.get("/groups/agents?q=☃&members=none").content.decode()


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("earlier=b", "b a c"),
        ("earlier=a", "a b c"),
        ("later=a", "b a c"),
        ("later=c", "a b c"),
        ("later=none", "a b c"),
        ("manager=b&manager_type=dynamic", "a b c"),
    ],
)
def test_members_change_places(client: Client, members: list[Agent], asked: str, order: str) -> None:
    named = dict(zip("abc", [*members, make("Cem")], strict=True))
    for letter, agent in named.items():
        asked = asked.replace(f"={letter}", f"={agent.id}")
    given = "&".join(f"members={agent.id}" for agent in named.values())
    shown = html.fragment_fromstring(client.get(f"/groups/agents?{given}&{asked}").content.decode())
    assert [box.get("value") for box in shown.xpath(".//input[@name='members'][@checked]")] == [
        named[letter].id for letter in order.split()
    ]


# --- talking ------------------------------------------------------------------------------------------------------


def test_a_turn_says_who_said_what(client: Client, group: Group, members: list[Agent]) -> None:
    assert "Nothing said yet" in page(client, group).text_content()
    send(client, group)
    waiting = page(client, group)
    assert [words.text_content() for words in waiting.find_class("user")] == ["Who are you?"]
    assert "Waits for a worker" in waiting.text_content()
    finish(played(group))
    ended = page(client, group)
    assert said(ended) == [("Ada", "I am Ada."), ("Bea", "I am Bea.")]
    runs = GroupTurn.objects.get().run_ids
    links = [link.get("href") for link in ended.find_class("k") if link.tag == "a"]
    assert links == [f"/agents/{m.id}#turn-{run_id}" for m, run_id in zip(members, runs, strict=True)]


def test_who_chooses_the_next_speaker_is_told_apart(client: Client, members: list[Agent]) -> None:
    boss = make("Boss", "Ada, please.", "DONE!")
    led = groups.create([member.id for member in members], boss.id, manager_type="dynamic")
    send(client, led)
    finish(played(led))
    shown = page(client, led)
    assert said(shown) == [("Ada", "I am Ada.")]
    assert "Boss: Ada, please." in " ".join(shown.text_content().split())


def test_a_turn_that_failed_says_why(client: Client, group: Group, members: list[Agent]) -> None:
    Agent.objects.filter(id=members[0].id).update(model="offline/none")
    send(client, group)
    finish(played(group))
    assert "Ada" in page(client, group).find_class("error")[0].text_content()


def test_what_the_socket_sends_is_what_the_page_shows(client: Client, group: Group) -> None:
    send(client, group)
    for work in (lambda: None, lambda: finish(played(group))):
        work()
        shown = page(client, group)
        for sent in (fragment.rendered() for fragment in live_fragments(group) if fragment.swap != "remove"):
            drawn = html.fragment_fromstring(sent["html"])
            assert html.tostring(shown.get_element_by_id(sent["id"]), with_tail=False) == html.tostring(drawn)


def test_an_open_page_hears_what_its_agents_say(group: Group) -> None:
    async def heard() -> list[str]:
        scope = {
            "type": "websocket",
            "path": f"/ws/groups/{group.id}/",
            "query_string": b"after=0",
            "url_route": {"kwargs": {"group_id": group.id}},
        }
        socket = ApplicationCommunicator(GroupConsumer.as_asgi(), scope)
        await socket.send_input({"type": "websocket.connect"})
        assert (await socket.receive_output(timeout=PATIENCE_S))["type"] == "websocket.accept"
        texts = [await _text(socket)]
        await sync_to_async(groups.send)(group.id, [Input("user", [{"type": "text", "text": "Who are you?"}])])
        await played(group)
        while "I am Bea." not in texts[-1]:
            texts.append(await _text(socket))
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(timeout=PATIENCE_S)
        return texts

    texts = finish(heard())
    assert "nothing said yet" in texts[0]
    assert "Who are you?" in "".join(texts)


async def _text(socket: ApplicationCommunicator) -> str:
    sent = json.loads((await socket.receive_output(timeout=PATIENCE_S))["text"])
    return "".join(each.get("html", "") for each in sent["fragments"])


def test_a_turn_is_stopped(client: Client, group: Group) -> None:
    send(client, group)
    send(client, group, "And then?")
    assert "/cancel" in html.tostring(page(client, group)).decode()
    assert client.post(f"/groups/{group.id}/cancel").status_code == 204
    assert list(GroupTurn.objects.values_list("cancel_requested", flat=True)) == [True, True]
    finish(played(group))
    assert "Cancelled." in page(client, group).text_content()


@pytest.mark.parametrize("words", ["", "  \r\n", "\x00"])
def test_an_empty_message_is_refused(client: Client, group: Group, words: str) -> None:
    assert client.post(f"/groups/{group.id}/messages", {"text": words}).status_code == 422
    assert not GroupTurn.objects.exists()


def test_long_and_strange_words_are_kept_as_they_are(client: Client, group: Group) -> None:
    words = "☃ <b>&" + "x" * 50_000
    send(client, group, f"{words}\x00")
    assert page(client, group).find_class("user")[0].text_content() == words


@pytest.mark.parametrize("query", ["?before=none", "?before=%00", "?before=" + "9" * 3000])
def test_strange_pages_are_answered(client: Client, group: Group, query: str) -> None:
    send(client, group)
    page(client, group, query)
    assert client.get(f"/groups{query.replace('before', 'page')}").status_code == 200


def test_older_turns_are_on_pages_of_their_own(client: Client, group: Group) -> None:
    for number in range(21):
        send(client, group, f"Number {number}.")
    newest = page(client, group)
    assert len(newest.find_class("turn")) == 20
    [link] = [link.get("href") for link in newest.iter("a") if "before=" in link.get("href", "")]
    older = page(client, group, link)
    assert [words.text_content() for words in older.find_class("user")] == ["Number 0."]
    assert older.find("body").get("data-socket") is None


# --- the list -----------------------------------------------------------------------------------------------------


def test_groups_are_listed_the_one_spoken_to_last_first(client: Client, group: Group, members: list[Agent]) -> None:
    other = groups.create([members[0].id], description="One")
    send(client, group)
    listed = client.get("/groups").content.decode()
    assert listed.index(group.id) < listed.index(other.id)
    client.post(f"/groups/{other.id}/delete")
    assert other.id not in client.get("/groups").content.decode()
    assert Agent.objects.filter(id=members[0].id).exists()


def test_groups_that_do_not_exist_are_not_found(client: Client, group: Group) -> None:
    for group_id in STRANGE_IDS:
        assert client.get(f"/groups/{group_id}").status_code == 404
        for what in ("cancel", "delete"):
            assert client.post(f"/groups/{group_id}/{what}").status_code == 404
        assert client.post(f"/groups/{group_id}/messages", {"text": "Hi"}).status_code == 404
    assert client.get(f"/groups/{group.id}/delete").status_code == 405
