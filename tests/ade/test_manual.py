"""The documents as pages of the product, the example agent, and what is said when something fails."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from lxml import html

from ade.documents import document, names, slug
from ade.errors import failed, stale_page
from agents_core.models import Agent, Run

DOCS = sorted(path.stem for path in (Path(settings.BASE_DIR) / "docs").glob("*.md"))


def test_every_document_is_a_page() -> None:
    assert sorted(names()) == DOCS
    assert names()[0] == "ide"


@pytest.mark.parametrize("name", DOCS)
def test_links_and_pictures_of_a_document_lead_somewhere(name: str) -> None:
    page = html.fromstring(f"<div>{document(name).html}</div>")
    for address in [*page.xpath("//a/@href"), *page.xpath("//img/@src")]:
        path, _, part = address.partition("#")
        if path.startswith("/help/images/"):
            assert Client().get(path).status_code == 200, address
        elif path.startswith("/help/"):
            sections = document(path.removeprefix("/help/")).html
            assert not part or f'id="{part}"' in sections, address
        else:
            assert re.match(r"https?://|#", address), address


def test_headings_have_the_ids_by_which_code_forges_name_them() -> None:
    assert slug("The agent that calls") == "the-agent-that-calls"
    assert slug("Why? - v1.2, again") == "why---v12-again"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path", ["nothing", "..%2F..%2FREADME", "README.md", "%00", "a" * 300, "images/x.png", "images/..%2Fide.md"]
)
def test_nothing_but_the_documents_is_served(path: str) -> None:
    assert Client().get(f"/help/{path}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_example_is_an_agent_that_has_been_spoken_to_and_the_tour_leads_to_it(builtin_tools: None) -> None:
    assert Client().get("/tour").headers["Location"] == "/agents"
    made = Client().post("/agents/example", headers={"HX-Request": "true"})
    agent = Agent.objects.get()
    assert made.headers["HX-Redirect"] == f"/agents/{agent.id}?tour=1" == Client().get("/tour").headers["Location"]
    assert Run.objects.filter(agent=agent).count() >= 3
    assert 'data-start="first"' in Client().get(f"/agents/{agent.id}").content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_address_of_nothing_is_told_with_a_report() -> None:
    answer = Client().get("/nowhere/at/all", headers={"User-Agent": "Browser 7"})
    page = html.fromstring(answer.content)
    assert answer.status_code == 404
    [report] = page.xpath("//*[@id='error-report']/text()")
    assert all(words in report for words in ("GET /nowhere/at/all", "404", "Browser 7", "Mnemoscope"))
    assert page.xpath("//*[@data-copy='#error-report']")


@pytest.mark.django_db(transaction=True)
def test_an_unknown_id_is_told_under_htmx_as_a_toast() -> None:
    answer = Client(headers={"HX-Request": "true"}).get("/agents/agent-none")
    assert answer.status_code == 404
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["tone"] == "bad"


def test_a_failure_is_told_without_asking_the_database() -> None:
    answer = failed(RequestFactory().get("/agents", headers={"User-Agent": "Browser 7"}))
    assert answer.status_code == 500
    assert "GET /agents" in answer.content.decode()
    assert "Copy report" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_form_of_an_older_session_is_told_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/agents/new", {"name": "x"})
    assert answer.status_code == 403
    assert "load it again" in answer.content.decode()
    assert stale_page(RequestFactory().post("/x", headers={"HX-Request": "true"})).headers["HX-Trigger"]
