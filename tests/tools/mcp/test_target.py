"""How a server's settings become those of one agent."""

import json
from typing import Any

import pytest

from agents_core.models import McpServer
from agents_core.models.sealed import seal
from agents_core.tools.mcp.target import Target, VariableMissing, VariableUnfit, target_of


def reached(variables: dict[str, str] | None = None, url: str = "http://x/mcp", **secrets: Any) -> Target:
    server = McpServer(name="s", kind="streamable_http", url=url, sealed_secrets=seal(json.dumps(secrets)))
    return target_of(server, variables or {})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("plain", "plain"),
        ("{{TOKEN}}", "hers"),
        ("Bearer {{ TOKEN }}!", "Bearer hers!"),
        ("{{ OTHER | a default }}", "a default"),
        ("{{ OTHER | }}", ""),
        ("{{ TOKEN | a default }}", "hers"),
        ("{ TOKEN } {{ 1 }}", "{ TOKEN } {{ 1 }}"),
    ],
)
def test_the_secrets_of_the_agent_stand_in_their_places(written: str, sent: str) -> None:
    assert reached({"TOKEN": "hers"}, headers={"X-A": written}).headers == (("X-A", sent),)


def test_a_secret_is_not_looked_into_for_others() -> None:
    assert reached({"A": "{{ B }}", "B": "b"}, headers={"X-A": "{{ A }}"}).headers == (("X-A", "{{ B }}"),)


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(VariableMissing, match="needs the variable TOKEN"):
        reached(headers={"X-A": "{{ TOKEN }}"})


def test_a_secret_that_no_header_can_hold_is_refused_without_showing_it() -> None:
    with pytest.raises(VariableUnfit) as refused:
        reached({"TOKEN": "geheim\nX-Other: b"}, headers={"X-A": "{{ TOKEN }}"})
    assert "geheim" not in refused.value.message


@pytest.mark.parametrize(
    ("token", "header", "sent"),
    [
        ("abc", "", ("Authorization", "Bearer abc")),
        ("Bearer abc", "", ("Authorization", "Bearer abc")),
        ("Basic abc", "authorization", ("authorization", "Basic abc")),
        ("{{ TOKEN }}", "", ("Authorization", "Bearer hers")),
        ("abc", "X-Api-Key", ("X-Api-Key", "abc")),
    ],
)
def test_a_token_alone_is_sent_as_a_bearer(token: str, header: str, sent: tuple[str, str]) -> None:
    assert reached({"TOKEN": "hers"}, auth_token=token, auth_header=header).headers == (sent,)


def test_what_is_told_of_an_address_holds_no_secret() -> None:
    assert reached(url="https://me:pass@host:81/mcp?key=k#f").where == "https://host:81/mcp"
