"""The admin panel: every table opens, nothing written by the runtime can be changed, and what is done is done by the actions."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from lxml import html

from ade.admin import PARTS, base
from agents_core.actions import agents
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.providers import save_provider
from agents_core.models import Agent, Block, Event, ProviderAccount, Run, RunStatus
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

REGISTERED: list[Any] = [model for model in admin.site._registry if model._meta.app_label == "agents_core"]


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    made = agents.create(NewAgent(name="Seen", model="offline/rules", memory_blocks=[{"label": "human", "value": ""}]))
    finish(execute(made.id, say(made), None, 1))
    return made


def say(agent: Agent) -> str:
    return finish(send(agent.id, [Input("user", [{"type": "text", "text": "My name is Bo."}])])).run_id


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("op", password="x"))
    return client


@pytest.fixture
def reader() -> Client:
    """One who may look at the tables and do nothing."""
    user = User.objects.create_user("reader", is_staff=True)
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


def table(model: Any) -> str:
    return reverse(f"admin:agents_core_{model._meta.model_name}_changelist")


def act(client: Client, model: Any, action: str, *rows: Any) -> Any:
    given = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(table(model), given, follow=True)


def test_every_model_is_there_but_for_the_parts_of_others() -> None:
    shown = {model._meta.model_name for model in REGISTERED}
    known = {model._meta.model_name for model in apps.get_app_config("agents_core").get_models()}
    assert known - shown == PARTS


def test_every_table_opens_searches_and_is_filtered(operator: Client, agent: Agent) -> None:
    for model in REGISTERED:
        page = operator.get(table(model))
        assert page.status_code == 200, model
        assert operator.get(table(model), {"q": "agent-1 'x"}).status_code == 200, model
        assert admin.site._registry[model].search_fields, model
        # Of each filter its first choice after "All".
        for link in html.fromstring(page.content).xpath("//*[@id='changelist-filter']//li[2]/a/@href"):
            assert operator.get(table(model) + link).status_code == 200, (model, link)


def test_every_row_opens_and_leads_to_its_page_of_the_ide(operator: Client, agent: Agent) -> None:
    for model in REGISTERED:
        if (row := model._default_manager.first()) is None:
            continue
        name = f"admin:agents_core_{model._meta.model_name}_change"
        assert operator.get(reverse(name, args=[row.pk])).status_code == 200, model
    page = html.fromstring(operator.get(table(Run)).content)
    [address] = page.xpath("//td[@class='field-page']/a/@href")
    assert "Bo" in Client().get(address).content.decode()


def test_what_the_runtime_wrote_cannot_be_changed(operator: Client, agent: Agent) -> None:
    for model in REGISTERED:
        assert not admin.site._registry[model].has_change_permission(operator.get("/admin/").wsgi_request), model
    change = reverse("admin:agents_core_block_change", args=[agent.blocks.get().pk])
    assert operator.post(change, {"label": "other", "value": "y"}).status_code == 403
    assert Block.objects.get().label == "human"


def test_a_run_is_cancelled_and_its_end_is_told(operator: Client, agent: Agent) -> None:
    run = Run.objects.get(id=say(agent))
    assert "Cancelled: 1" in act(operator, Run, "cancel", run).content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert Event.objects.filter(agent=agent, run_id=run.id, type="run.ended").exists()
    assert "nothing to cancel" in act(operator, Run, "cancel", run).content.decode()


def test_the_key_of_a_provider_is_taken_away_and_never_shown(operator: Client) -> None:
    account = save_provider("openai", base_url=None, api_key="sk-secret-1234")
    change = reverse("admin:agents_core_provideraccount_change", args=[account.pk])
    assert "sk-secret" not in operator.get(change).content.decode()
    act(operator, ProviderAccount, "remove_key", account)
    assert ProviderAccount.objects.get().sealed_key is None


def test_who_may_only_look_can_do_nothing(reader: Client, agent: Agent) -> None:
    run = Run.objects.get(id=say(agent))
    assert reader.get(table(Run)).status_code == 200
    act(reader, Run, "cancel", run)
    act(reader, Agent, "delete_selected", agent)
    run.refresh_from_db()
    assert run.status == RunStatus.CREATED
    assert Agent.objects.filter(id=agent.id).exists()


def test_rows_are_counted_only_so_far(operator: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "COUNTED", 5)
    monkeypatch.setattr(base.CappedPaginator, "most", 5)
    assert Event.objects.count() > 5
    assert "5 or more events" in " ".join(html.fromstring(operator.get(table(Event)).content).text_content().split())


def test_the_panel_wears_the_colours_of_the_ide(operator: Client) -> None:
    page = operator.get("/admin/").content.decode()
    assert "ade/css/tokens.css" in page
    assert "ade/css/admin.css" in page
    assert "admin/css/dark_mode.css" not in page
