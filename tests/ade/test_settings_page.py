"""Settings: an agent's, the providers, mapped handles; and the pages for operators."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents_core.actions import agents, providers
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, HandleMapping, ProviderAccount
from agents_core.models.sealed import unseal
from tests.llm.fake_server import FakeModelServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Settled", model="offline/rules"))


def settings_of(agent: Agent, **changes: str) -> dict[str, str]:
    given = {
        "name": agent.name,
        "model": agent.model,
        "context_window": "8000",
        "system": "Be brief.",
        "timezone": "UTC",
    }
    return given | changes


def test_saving_changes_the_agent_and_bad_fields_are_told_beside_them(agent: Agent) -> None:
    client = Client(headers={"HX-Request": "true"})
    saved = client.post(f"/agents/{agent.id}/settings", settings_of(agent, tags="a, b", temperature="0.5"))
    agent.refresh_from_db()
    assert saved.status_code == 200
    assert (agent.context_window, agent.tags, agent.system) == (8000, ["a", "b"], "Be brief.")
    assert agent.model_settings["temperature"] == 0.5
    refused = client.post(f"/agents/{agent.id}/settings", settings_of(agent, context_window="12"))
    assert refused.status_code == 422
    assert "1024" in refused.content.decode()


def test_a_model_that_no_provider_serves_is_refused_with_what_to_do(agent: Agent) -> None:
    refused = Client(headers={"HX-Request": "true"}).post(
        f"/agents/{agent.id}/settings", settings_of(agent, model="nobody/knows")
    )
    assert refused.status_code == 404
    assert "Settings" in refused["HX-Trigger"]


def test_a_key_is_sealed_and_kept_when_the_field_is_left_empty() -> None:
    client = Client()
    client.post("/settings/providers", {"name": "openai", "api_key": "sk-secret", "base_url": ""})
    client.post("/settings/providers", {"name": "openai", "api_key": "", "base_url": "http://localhost:9/v1"})
    account = ProviderAccount.objects.get(name="openai")
    assert b"sk-secret" not in bytes(account.sealed_key or b"")
    assert unseal(account.sealed_key or b"") == "sk-secret"
    assert account.base_url == "http://localhost:9/v1"
    assert "sk-secret" not in client.get("/settings").content.decode()


def test_the_test_button_says_how_many_models_or_why_not() -> None:
    client = Client()
    with FakeModelServer() as server:
        providers.save_provider("mylab", base_url=server.url, api_key="x")
        works = client.post("/settings/providers/mylab/check").content.decode()
    assert "Works" in works
    failed = client.post("/settings/providers/mylab/check").content.decode()
    assert "Failed" in failed


def test_a_handle_is_mapped_and_the_mapping_removed_and_chains_are_refused() -> None:
    client = Client(headers={"HX-Request": "true"})
    client.post("/settings/mappings", {"handle": "openai/gpt-4o-mini", "target": "offline/rules"})
    assert HandleMapping.objects.get().target == "offline/rules"
    chained = client.post("/settings/mappings", {"handle": "a/b", "target": "openai/gpt-4o-mini"})
    assert chained.status_code == 422
    client.post("/settings/mappings", {"handle": "openai/gpt-4o-mini", "target": ""})
    assert not HandleMapping.objects.exists()


@pytest.mark.parametrize("address", ["/settings", "/runs", "/health", "/blocks", "/palette?q=a", "/agents"])
def test_every_page_answers_on_an_empty_server(address: str) -> None:
    assert Client().get(address).status_code == 200


def test_the_admin_lists_every_model(agent: Agent) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("operator", password="x"))
    index = client.get("/admin/").content.decode()
    for noun in ("agent", "block", "message", "run", "step", "toolcall", "event", "eviction", "provideraccount"):
        assert f"/admin/agents_core/{noun}/" in index
        assert client.get(f"/admin/agents_core/{noun}/").status_code == 200
    assert agent.name in client.get("/admin/agents_core/agent/?q=Settled").content.decode()
