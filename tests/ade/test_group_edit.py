"""A group that there is, changed in the IDE: its form holds what it is, refuses what could not work, and other pages follow."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from lxml import html

from ade.group_page import live_fragments
from ade.page_consumers import GroupConsumer, GroupsConsumer
from agents_core.actions import agents, blocks, deletions, groups, sleeptime
from agents_core.actions.messages import Input
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Author, Group
from tests.ade.sockets import opened
from tests.ade.test_groups_page import STRANGE_IDS
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(builtin_tools: None) -> list[Agent]:
    return [agents.create(NewAgent(name=name, model="offline/rules")) for name in ("Ada", "Bea", "Cem")]


@pytest.fixture
def group(team: list[Agent]) -> Group:
    ada, bea, _ = team
    return groups.create([ada.id, bea.id], description="Two", max_turns=4, termination_token="OK")


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def form_of(client: Client, group_id: str) -> dict[str, Any]:
    """What a browser would send of the form as it is filled."""
    answer = client.get(f"/groups/{group_id}/edit")
    assert answer.status_code == 200
    shown = html.fromstring(f"<div>{answer.content.decode()}</div>").forms[0]
    sent: dict[str, Any] = {}
    for name, value in shown.form_values():
        sent.setdefault(name, []).append(value)
    return sent


def save(client: Client, group_id: str, **changes: Any) -> str:
    """Opens the form and saves it with ``changes``; gives what it says is wrong, "" when it was saved."""
    answer = client.post(f"/groups/{group_id}/save", form_of(client, group_id) | changes)
    return "" if answer.status_code == 204 else said(answer)


def said(answer: Any) -> str:
    assert answer.status_code == 422
    return str(html.fragment_fromstring(answer.content.decode()).text_content())


def facts(group_id: str) -> tuple[Any, ...]:
    group = Group.objects.get(id=group_id)
    return (
        *(group.manager_type, group.description, group.max_turns, group.termination_token),
        *(group.manager_id, groups.member_ids(group_id)),
    )


# --- what is changed --------------------------------------------------------------------------------------------------


def test_a_form_saved_as_it_was_opened_changes_nothing(client: Client, group: Group, team: list[Agent]) -> None:
    led = groups.create([team[0].id], team[2].id, manager_type="dynamic", description="Ω <b>", shared_block_ids=[])
    for each in (group, led):
        before = facts(each.id)
        assert save(client, each.id) == ""
        assert facts(each.id) == before


def test_everything_of_a_group_is_changed_at_once(client: Client, group: Group, team: list[Agent]) -> None:
    ada, bea, cem = (agent.id for agent in team)
    wanted = {"manager_type": "dynamic", "description": "Three", "max_turns": "", "termination_token": "END"}
    assert save(client, group.id, **wanted, members=[cem, bea], manager=ada) == ""
    assert facts(group.id) == ("dynamic", "Three", None, "END", ada, [cem, bea])
    assert save(client, group.id, manager_type="round_robin", members=[bea, cem, ada]) == ""
    assert facts(group.id)[4:] == (None, [bea, cem, ada])


def test_who_comes_to_lead_a_supervised_group_gets_the_tool_it_asks_by(
    client: Client, group: Group, team: list[Agent]
) -> None:
    assert save(client, group.id, manager_type="supervisor", manager=team[2].id) == ""
    assert team[2].tools.filter(name="send_message_to_agent_and_wait_for_reply").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"members": []}, "at least one member"),
        ({"manager_type": "dynamic"}, "who leads"),
        ({"manager_type": "supervisor", "manager": "agent-none"}, "agent-none"),
        ({"manager_type": "sleeptime"}, "Sleep-time"),
        ({"manager_type": "☃"}, "☃"),
        ({"members": ["agent-none"]}, "agent-none"),
        ({"members": [f"agent-{n}" for n in range(101)]}, "at most 100"),
        ({"max_turns": "many"}, "1 to 1,000"),
        ({"max_turns": "1001"}, "1 to 1,000"),
        ({"description": "x" * 3000}, "2000"),
        ({"description": "\x00"}, "Null"),
        ({"seen": ""}, "was changed since"),
    ],
)
def test_what_could_not_work_is_refused_in_the_form(
    client: Client, group: Group, changes: dict[str, Any], words: str
) -> None:
    before = facts(group.id)
    assert words in save(client, group.id, **changes)
    assert facts(group.id) == before


def test_of_two_who_change_a_group_the_second_is_told_of_the_first(client: Client, group: Group) -> None:
    first, second = form_of(client, group.id), form_of(client, group.id)
    assert client.post(f"/groups/{group.id}/save", first | {"description": "First"}).status_code == 204
    assert "changed since" in said(client.post(f"/groups/{group.id}/save", second | {"max_turns": "9"}))
    assert facts(group.id)[1:3] == ("First", 4)


def test_a_group_that_is_gone_has_no_form(client: Client, group: Group) -> None:
    form = form_of(client, group.id)
    for group_id in STRANGE_IDS:
        assert client.get(f"/groups/{group_id}/edit").status_code == 404
        assert Client().post(f"/groups/{group_id}/save", form).status_code == 404
    client.post(f"/groups/{group.id}/delete")
    assert group.id in said(client.post(f"/groups/{group.id}/save", form))
    assert client.get(f"/groups/{group.id}/save").status_code == 405


def test_the_form_says_that_a_turn_which_goes_on_ends_as_it_began(client: Client, group: Group) -> None:
    words = "ends as it began"
    assert words not in client.get(f"/groups/{group.id}/edit").content.decode()
    groups.send(group.id, [Input("user", [{"type": "text", "text": "Hi"}])])
    assert words in client.get(f"/groups/{group.id}/edit").content.decode()


def test_saving_without_scripts_leads_back_to_the_group(client: Client, group: Group) -> None:
    answer = Client().post(f"/groups/{group.id}/save", form_of(client, group.id))
    assert (answer.status_code, answer["Location"]) == (302, f"/groups/{group.id}")


# --- groups that tend memory ------------------------------------------------------------------------------------------


def test_a_group_that_tends_memory_says_when_and_by_whom_and_no_more(client: Client, team: list[Agent]) -> None:
    ada, bea, _ = team
    agents.modify(ada.id, {"enable_sleeptime": True})
    group = sleeptime.group_of(ada.id)
    assert group is not None
    agents.modify(ada.id, {"enable_sleeptime": False})
    changes = {"sleeptime_agent_frequency": "3", "sleeptime_idle_s": "60", "manager_type": "dynamic", "manager": bea.id}
    assert save(client, group.id, **changes, members=[bea.id], description="Night shift") == ""
    group.refresh_from_db()
    assert (group.sleeptime_agent_frequency, group.sleeptime_idle_s, group.description) == (3, 60, "Night shift")
    assert (group.manager_type, group.manager_id, groups.member_ids(group.id)) == ("sleeptime", ada.id, [bea.id])
    assert Agent.objects.get(id=ada.id).enable_sleeptime is False  # as a person has switched it
    assert "1 to 1,000,000" in save(client, group.id, sleeptime_agent_frequency="0")
    assert "seconds" in save(client, group.id, sleeptime_idle_s="soon")


# --- pages that are open ----------------------------------------------------------------------------------------------


def page(client: Client, group: Group) -> html.HtmlElement:
    return html.document_fromstring(client.get(f"/groups/{group.id}").content.decode())


def test_what_the_socket_sends_of_a_changed_group_is_what_its_page_shows(
    client: Client, group: Group, team: list[Agent]
) -> None:
    shared = blocks.create(Author.PERSON, label="plan", value="")
    groups.modify(group.id, {"description": "Ω", "agent_ids": [team[2].id], "shared_block_ids": [shared.id]})
    shown = page(client, group)
    drawn = {each.dom_id: each.rendered() for each in live_fragments(Group.objects.get(id=group.id))}
    for dom_id in ("group-name", "group-state", "group-facts"):
        fresh = html.fragment_fromstring(drawn[dom_id]["html"])
        assert html.tostring(shown.get_element_by_id(dom_id), with_tail=False) == html.tostring(fresh)
    assert "plan" in drawn["group-facts"]["html"]


def test_an_open_page_follows_the_group_until_it_is_deleted(group: Group, team: list[Agent]) -> None:
    async def heard() -> list[dict[str, Any]]:
        async with opened(GroupConsumer, "/ws/groups/x/", group_id=group.id) as socket:
            found = [await socket.hear()]
            await sync_to_async(groups.modify)(group.id, {"description": "Renamed", "agent_ids": [team[2].id]})
            found.append(await socket.hear())
            await sync_to_async(groups.modify)(group.id, {"description": "Again"})
            found.append(await socket.hear())
            await sync_to_async(groups.delete)(group.id)
            return [*found, await socket.hear()]

    first, second, third, last = finish(heard())
    assert "Two" in words(first)["group-name"]
    assert set(words(second)) == {"group-name", "group-facts"}
    assert ("Renamed" in words(second)["group-name"], "Cem" in words(second)["group-facts"]) == (True, True)
    assert "Again" in words(third)["group-name"]
    assert last == {"gone": True}


def test_an_open_page_follows_the_deletion_of_a_member_and_of_who_leads(team: list[Agent]) -> None:
    ada, bea, cem = team
    led = groups.create([ada.id, bea.id], cem.id, manager_type="dynamic")

    async def heard() -> list[dict[str, Any]]:
        async with opened(GroupConsumer, "/ws/groups/x/", group_id=led.id) as socket:
            found = [await socket.hear()]
            for agent in (bea, cem):
                await sync_to_async(deletions.delete_agent)(agent.id)
                found.append(await socket.hear())
            return found

    first, second, last = finish(heard())
    assert ["Bea" in words(each)["group-facts"] for each in (first, second)] == [True, False]
    assert last == {"gone": True}


def test_a_page_of_a_group_without_agents_follows_it_too(group: Group, team: list[Agent]) -> None:
    async def heard() -> dict[str, Any]:
        await sync_to_async(lambda: [deletions.delete_agent(agent.id) for agent in team[:2]])()
        async with opened(GroupConsumer, "/ws/groups/x/", group_id=group.id) as socket:
            assert "None is left" in words(await socket.hear())["group-facts"]
            await sync_to_async(groups.modify)(group.id, {"agent_ids": [team[2].id]})
            return await socket.hear()

    assert "Cem" in words(finish(heard()))["group-facts"]


def test_the_list_follows_too(group: Group) -> None:
    async def heard() -> list[dict[str, Any]]:
        async with opened(GroupsConsumer, "/ws/groups/", "page=1&after=0") as socket:
            found = [await socket.hear()]
            await sync_to_async(groups.modify)(group.id, {"description": "Renamed"})
            return [*found, await socket.hear()]

    first, second = finish(heard())
    assert "Two" in words(first)["group-list"]
    assert list(words(second)) == ["group-list"]
    assert "Renamed" in words(second)["group-list"]


def words(message: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each.get("html", "") for each in message["fragments"]}


def test_an_agents_page_says_which_groups_it_is_in(client: Client, group: Group, team: list[Agent]) -> None:
    ada, bea, cem = team
    groups.create([ada.id], cem.id, manager_type="dynamic", description="Led")
    groups.create([ada.id], description="Hidden", hidden=True)

    def shown(agent: Agent) -> list[str]:
        outline = html.document_fromstring(client.get(f"/agents/{agent.id}").content.decode())
        return [link.text_content() for link in outline.iter("a") if link.get("href", "").startswith("/groups/group-")]

    assert (shown(ada), shown(bea)) == (["Tworound robin", "Leddynamic"], ["Tworound robin"])
    assert shown(cem) == ["Ledleads"]
