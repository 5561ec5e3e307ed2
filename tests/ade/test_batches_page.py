"""Batches in the IDE: how far each is, its requests with their agents and runs, cancelled, and followed while they run."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import Client
from lxml import html

from ade import batch_page
from ade.batch_page import live_fragments, page_context
from ade.page_consumers import BatchConsumer, BatchesConsumer
from agents_core.actions import agents, batches, deletions
from agents_core.actions.batches import Request
from agents_core.actions.messages import Input, RunOptions
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Batch, Run, pipeline
from agents_core.queue.tasks import end_batches
from agents_core.runtime.loop import execute
from tests.ade.sockets import opened
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

STRANGE_IDS = ("job-none", "☃", "x" * 3000, "a%00b")


@pytest.fixture
def team(builtin_tools: None) -> list[Agent]:
    """The first two answer; the third names a model that does not exist."""
    made = zip(("Ada", "Bea", "Cem"), ("offline/rules", "offline/rules", "offline/missing"), strict=True)
    return [agents.create(NewAgent(name=name, model=model)) for name, model in made]


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def send(team: list[Agent], callback_url: str | None = None) -> Batch:
    """A batch that greets each of them by name."""
    requests = [
        Request(agent.id, [Input("user", [{"type": "text", "text": f"Hello {agent.name}"}])], RunOptions())
        for agent in team
    ]
    return async_to_sync(batches.create)(requests, callback_url)


async def run(batch: Batch, *names: str) -> None:
    """Carries out the requests to the agents called so, then lets a worker look for batches that have ended."""
    async for each in Run.objects.filter(batch=batch, agent__name__in=names):
        await execute(each.agent_id, each.id, None, 1)
    await pipeline.run([end_batches()])


def page(client: Client, address: str) -> html.HtmlElement:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.document_fromstring(answer.content.decode())


def told(node: html.HtmlElement) -> str:
    return " ".join(node.text_content().split())


def row(client: Client, batch: Batch) -> str:
    return told(page(client, "/batches").get_element_by_id(f"row-{batch.id}"))


# --- the list ---------------------------------------------------------------------------------------------------------


def test_without_batches_the_list_says_how_one_is_made(client: Client) -> None:
    shown = page(client, "/batches")
    assert "http://testserver/v1/messages/batches" in told(shown.get_element_by_id("batches-empty"))
    [more] = [link for link in shown.iter("a") if told(link) == "How a batch is made"]
    path, _, section = more.get("href").partition("#")
    assert "/v1/messages/batches" in told(page(client, path).get_element_by_id(section).getparent())


def test_a_batch_is_listed_with_what_became_of_its_requests(client: Client, team: list[Agent]) -> None:
    batch, later = send(team), send(team[:1])
    assert "queued 0 of 3 3 queued" in row(client, batch)
    finish(run(batch, "Ada"))
    assert "running 1 of 3 1 completed 2 queued" in row(client, batch)
    finish(run(batch, "Bea", "Cem"))
    assert "completed 3 of 3 2 completed 1 failed" in row(client, batch)
    listed = [line.get("id") for line in page(client, "/batches").iter("tr") if line.get("id")]
    assert listed == [f"row-{later.id}", f"row-{batch.id}"]


def test_a_batch_tells_what_it_took(client: Client, team: list[Agent]) -> None:
    batch = send(team[:2])
    finish(run(batch, "Ada", "Bea"))
    for each in Run.objects.filter(batch=batch):
        each.steps.update(prompt_tokens=1000, completion_tokens=20, cost_usd="0.25")
    assert "2 2,000 → 40 $0.50" in row(client, batch)
    facts = told(page(client, f"/batches/{batch.id}").get_element_by_id("batch-facts"))
    assert "Tokens in → out2,000 → 40Cost$0.50Took" in facts


def test_batches_of_deleted_agents_stay_listed(client: Client, team: list[Agent]) -> None:
    batch = send(team[:1])
    deletions.delete_agent(team[0].id)
    assert "its agents were deleted" in row(client, batch)
    assert "Its agents were deleted" in told(page(client, f"/batches/{batch.id}"))


def test_more_batches_than_a_page_holds_are_on_the_next(
    client: Client, team: list[Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_page, "PAGE", 1)
    first, second = send(team[:1]), send(team)
    assert (
        second.id in str(client.get("/batches").content),
        first.id in str(client.get("/batches?page=2").content),
    ) == (
        True,
        True,
    )
    shown = page(client, f"/batches/{second.id}?state=active&page=2")
    assert "Bea" in told(shown.get_element_by_id("batch-requests"))
    links = [link.get("href") for link in shown.find_class("pager")[0].iter("a")]
    assert links == ["?state=active&page=1", "?state=active&page=3"]


# --- one batch --------------------------------------------------------------------------------------------------------


def asked(shown: html.HtmlElement) -> list[tuple[str, str]]:
    """The agents and what each was asked."""
    lines = shown.get_element_by_id("batch-requests").xpath(".//tbody/tr")
    return [(told(line.xpath(".//a[@class='link']")[0]), told(line.find_class("asked")[0])) for line in lines]


def test_each_request_leads_to_its_agent_and_its_run(client: Client, team: list[Agent]) -> None:
    batch = send(team)
    shown = page(client, f"/batches/{batch.id}")
    assert asked(shown) == [(name, f"Hello {name}") for name in ("Ada", "Bea", "Cem")]
    for each in Run.objects.filter(batch=batch):
        links = {link.get("href") for link in shown.get_element_by_id(f"run-{each.id}").iter("a")}
        assert links == {f"/agents/{each.agent_id}", f"/agents/{each.agent_id}?main=runs&run={each.id}"}
        assert client.get(f"/agents/{each.agent_id}?main=runs&run={each.id}").status_code == 200


def test_requests_are_narrowed_by_how_they_stand(client: Client, team: list[Agent]) -> None:
    batch = send(team)
    finish(run(batch, "Bea", "Cem"))

    def names(state: str) -> list[str]:
        return [name for name, _ in asked(page(client, f"/batches/{batch.id}?state={state}"))]

    states = ("", "active", "completed", "failed", "☃%00")
    everybody = ["Ada", "Bea", "Cem"]
    assert [names(state) for state in states] == [everybody, ["Ada"], ["Bea"], ["Cem"], everybody]
    assert "None of its requests" in told(page(client, f"/batches/{batch.id}?state=cancelled"))
    tabs = [told(tab) for tab in page(client, f"/batches/{batch.id}").find_class("tab") if tab.tag == "a"]
    assert tabs == ["All3", "Under way1", "Completed1", "Failed1"]


def test_a_batch_is_cancelled_once_and_its_ended_requests_stay_as_they_are(client: Client, team: list[Agent]) -> None:
    batch = send(team)
    finish(run(batch, "Ada"))
    assert page(client, f"/batches/{batch.id}").xpath(f"//*[@hx-post='/batches/{batch.id}/cancel']")
    assert client.post(f"/batches/{batch.id}/cancel").status_code == 204
    finish(run(batch))
    assert "cancelled 3 of 3 1 completed 2 cancelled" in row(client, batch)
    assert not page(client, f"/batches/{batch.id}").xpath("//*[@id='stop']")
    again = Client().post(f"/batches/{batch.id}/cancel")
    assert (again.status_code, again["Location"]) == (302, f"/batches/{batch.id}")


def test_who_is_told_of_the_end_stands_with_what_came_of_it(client: Client, team: list[Agent]) -> None:
    batch = send(team[:1], "http://localhost:1/told")

    def facts() -> str:
        return told(page(client, f"/batches/{batch.id}").get_element_by_id("batch-facts"))

    assert "http://localhost:1/toldto come" in facts()
    Batch.objects.update(callback_sent_at=batch.created_at, callback_error="refused")
    assert "failed: refused" in facts()


def test_batches_that_do_not_exist_are_not_found(client: Client, team: list[Agent]) -> None:
    for batch_id in STRANGE_IDS:
        assert client.get(f"/batches/{batch_id}").status_code == 404
        assert client.post(f"/batches/{batch_id}/cancel").status_code == 404
    assert client.get(f"/batches/{send(team).id}/cancel").status_code == 405
    for number in ("-1", "x", "9" * 3000, "%00"):
        assert client.get(f"/batches?page={number}").status_code == 200


def test_a_batch_is_found_from_its_runs_its_id_and_the_palette(client: Client, team: list[Agent]) -> None:
    batch = send(team)
    address = f"/batches/{batch.id}"
    assert address in client.get("/runs").content.decode()
    assert address in client.get(f"/agents/{team[0].id}/panels/runs").content.decode()
    assert client.get(f"/go/{batch.id}")["Location"] == address
    assert address in client.get(f"/palette?q={batch.id}").content.decode()
    assert 'href="/batches"' in client.get("/palette?q=batches").content.decode()
    assert "Batches1 open" in told(page(client, "/runs").get_element_by_id("nav-workspace"))


# --- pages that are open ----------------------------------------------------------------------------------------------


def test_what_the_socket_sends_is_what_the_page_shows(client: Client, team: list[Agent]) -> None:
    batch = send(team)
    for work in (lambda: None, lambda: finish(run(batch, "Ada", "Cem"))):
        work()
        for query in ("", "?state=failed"):
            shown = page(client, f"/batches/{batch.id}{query}")
            context = page_context(Batch.objects.get(id=batch.id), query[7:], "1")
            for sent in (fragment.rendered() for fragment in live_fragments(context)):
                drawn = html.fragment_fromstring(sent["html"])
                assert html.tostring(shown.get_element_by_id(sent["id"]), with_tail=False) == html.tostring(drawn)


async def until(socket: Any, words: str) -> None:
    """Hears what comes until something says ``words``."""
    while words not in " ".join(" ".join(each.get("html", "") for each in (await socket.hear())["fragments"]).split()):
        pass


def test_an_open_page_follows_its_batch_to_the_end(team: list[Agent]) -> None:
    batch = send(team)

    async def heard() -> None:
        async with opened(BatchConsumer, "/ws/batches/x/", "state=&page=1", batch_id=batch.id) as socket:
            await until(socket, "0 of 3")
            await run(batch, "Ada", "Bea")
            await until(socket, "2 completed")
            await run(batch, "Cem")
            await until(socket, "Ended")

    finish(heard())


def test_the_list_follows_and_takes_in_new_batches(team: list[Agent]) -> None:
    batch = send(team[:2])

    async def heard() -> None:
        async with opened(BatchesConsumer, "/ws/batches/", "page=1") as socket:
            await until(socket, "0 of 2")
            await run(batch, "Ada", "Bea")
            await until(socket, "2 completed")
            later = await sync_to_async(send)(team)
            await until(socket, f"row-{later.id}")

    finish(heard())


def test_the_page_of_a_batch_that_is_gone_is_told_so(team: list[Agent]) -> None:
    async def heard() -> dict[str, Any]:
        async with opened(BatchConsumer, "/ws/batches/x/", batch_id="job-none") as socket:
            return await socket.hear()

    assert finish(heard()) == {"gone": True}
