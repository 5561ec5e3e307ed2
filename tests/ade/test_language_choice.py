"""Another language, from its catalogue to the page: installed, chosen, and told to the scripts."""

import re
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from django.utils.translation import get_language
from pytest_django import Settings

from ade import script_words
from ade.catalogues import languages
from ade.languages import speaking
from ade.middleware import Receive, Scope, Send

SCRIPTS = Path(__file__).parents[2] / "static/ade/js"
WORDS = {"Agents": "Agenten", "Copied": "Kopiert", "{count} result": "{count} Treffer"}


def compiled(words: Mapping[str, str]) -> bytes:
    """A catalogue as msgfmt writes it."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **words}.items())
    texts = [one.encode() for one, _ in pairs] + [other.encode() for _, other in pairs]
    table, data, begin = [], b"", 28 + 8 * len(texts)
    for text in texts:
        table += [len(text), begin + len(data)]
        data += text + b"\0"
    head = (0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return struct.pack(f"<{len(head) + len(table)}I", *head, *table) + data


@pytest.fixture
def german(translating: None, settings: Settings, tmp_path: Path) -> None:
    """An installation with a German catalogue of a few words."""
    file = tmp_path / "de/LC_MESSAGES/django.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(compiled(WORDS))
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = languages(tmp_path)


async def page(path: str, *headers: tuple[bytes, bytes]) -> str:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": list(headers)}
    communicator = ApplicationCommunicator(speaking(ASGIHandler()), scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    assert (await communicator.receive_output(timeout=20))["status"] == 200
    return str((await communicator.receive_output(timeout=20))["body"].decode())


def test_a_language_is_installed_where_its_compiled_catalogue_lies(german: None, settings: Settings) -> None:
    assert languages(settings.LOCALE_PATHS[0]) == [("en", "English"), ("de", "Deutsch")]
    assert languages(Path("/nowhere")) == [("en", "English")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("headers", "language", "heading"),
    [
        ([(b"cookie", b"django_language=de")], "de", "Agenten"),
        ([(b"accept-language", b"fr, de;q=0.8")], "de", "Agenten"),
        ([(b"accept-language", b"fr")], "en", "Agents"),
        ([(b"cookie", b"django_language=en"), (b"accept-language", b"de")], "en", "Agents"),
        ([(b"cookie", b"django_language=../etc"), (b"accept-language", b"\xff;q=x")], "en", "Agents"),
    ],
)
async def test_a_page_is_in_the_language_chosen_else_in_the_browsers_else_in_english(
    german: None, headers: list[tuple[bytes, bytes]], language: str, heading: str
) -> None:
    body = await page("/agents", *headers)
    assert f'<html lang="{language}">' in body
    assert f"<h1>{heading}</h1>" in body
    assert ('"Copied": "Kopiert"' in body) == (language == "de")


async def test_a_websocket_speaks_as_its_page_does(german: None) -> None:
    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "reason": get_language()})

    communicator = ApplicationCommunicator(
        speaking(route), {"type": "websocket", "headers": [(b"cookie", b"django_language=de")]}
    )
    assert (await communicator.receive_output())["reason"] == "de"


@pytest.mark.django_db
def test_there_is_no_choice_of_one_language(client: Client) -> None:
    assert b'action="/language"' not in client.get("/agents").content


@pytest.mark.django_db
def test_a_language_is_chosen_for_this_browser_and_leads_back_to_the_page(client: Client, german: None) -> None:
    assert b'name="language" value="de" lang="de">Deutsch' in client.get("/agents").content
    answer = client.post("/language", {"language": "de"}, headers={"Referer": "http://testserver/blocks"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://testserver/blocks")
    assert client.cookies["django_language"].value == "de"


def test_all_that_the_scripts_say_is_listed_for_translation() -> None:
    calls = [found for file in SCRIPTS.glob("*.js") for found in re.findall(r"\bsay\(([^()]*)", file.read_text())]
    spoken = {text for call in calls for text in re.findall(r'"([^"]*)"', call)}
    assert len(spoken) > 20
    assert spoken - set(script_words._WORDS) == set()
