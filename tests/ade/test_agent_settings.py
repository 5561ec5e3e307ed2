"""The sections of an agent's settings: what each saves, and what it refuses beside the field."""

import pytest
from django.http import HttpResponse
from django.test import Client

from ade.rule_words import rule_key
from agents_core.actions import agents, conversations, schedules, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Conversation, Run, Schedule
from agents_core.models.sealed import unseal
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

SECTIONS = ["model", "compaction", "budgets", "rules", "variables", "schedules", "conversations"]
HUGE = "9" * 5000
COMPACTION = {
    "mode": "sliding_window",
    "percent": "30",
    "model": "",
    "clip_chars": "50000",
    "prompt": "",
    "recompile": "immediate",
}
SCHEDULE = {"text": "Water the plants.", "role": "user", "repeats": "cron", "cron": "0 9 * * *", "at": ""}


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Settled", model="offline/rules", tools=["archival_memory_insert"]))


@pytest.fixture
def other(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Other", model="offline/rules"))


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def post(client: Client, agent: Agent, path: str, **fields: object) -> HttpResponse:
    answer = client.post(f"/agents/{agent.id}/{path}", fields)
    agent.refresh_from_db()
    return answer


def test_every_section_is_drawn_and_any_other_word_means_the_first(client: Client, agent: Agent) -> None:
    for section in (*SECTIONS, "", "no-such", "\x00", "é" * 1000):
        drawn = client.get(f"/agents/{agent.id}", {"main": "settings", "section": section}).content.decode()
        shown = section if section in SECTIONS else "model"
        assert f'id="settings-of-{shown}" href="?main=settings&amp;section={shown}" aria-current="true"' in drawn


# --- compaction ---------------------------------------------------------------------------------------------------


def test_only_what_was_changed_of_compaction_is_kept(client: Client, agent: Agent) -> None:
    assert post(client, agent, "settings/compaction", **COMPACTION).status_code == 200
    assert agent.compaction_settings == {}
    changed = COMPACTION | {"percent": "45", "recompile": "compaction", "clip_chars": "", "model": "offline/rules"}
    post(client, agent, "settings/compaction", **changed)
    assert agent.compaction_settings == {
        "sliding_window_percentage": 0.45,
        "recompile": "compaction",
        "clip_chars": None,
        "model": "offline/rules",
    }


def test_another_mode_leaves_the_words_that_the_form_shows(client: Client, agent: Agent) -> None:
    post(client, agent, "settings/compaction", **COMPACTION | {"prompt": "Keep the names.\r\nAll."})
    post(client, agent, "settings/compaction", **COMPACTION | {"prompt": "Keep the names.\r\nAll.", "mode": "all"})
    assert agent.compaction_settings == {"mode": "all", "prompt": "Keep the names.\nAll."}


def test_what_compaction_cannot_be_is_told_at_the_field(client: Client, agent: Agent) -> None:
    wrong = [
        ("mode", "fly"),
        ("percent", "0"),
        ("percent", "100"),
        ("percent", "nan"),
        ("percent", HUGE),
        ("clip_chars", "-1"),
        ("clip_chars", HUGE),
        ("prompt", "a\x00b"),
        ("prompt", "é" * 500_001),
        ("recompile", ""),
    ]
    for field, value in wrong:
        refused = post(client, agent, "settings/compaction", **COMPACTION | {field: value})
        assert refused.status_code == 422, field
        assert 'class="errors"' in refused.content.decode()
    assert agent.compaction_settings == {}


def test_a_summariser_that_no_provider_serves_is_refused(client: Client, agent: Agent) -> None:
    assert post(client, agent, "settings/compaction", **COMPACTION | {"model": "nobody/knows"}).status_code == 404
    assert agent.compaction_settings == {}


def test_a_person_has_the_context_compacted_and_reads_why_it_was_not(client: Client, agent: Agent) -> None:
    assert post(client, agent, "compact").status_code == 204
    run = Run.objects.get(agent=agent)
    finish(execute(agent.id, run.id, None, 1))
    assert "too few messages" in client.get(f"/agents/{agent.id}").content.decode()


# --- budgets ------------------------------------------------------------------------------------------------------


def test_budgets_are_set_and_an_empty_field_is_none(client: Client, agent: Agent) -> None:
    post(client, agent, "settings/budgets", max_run_s="90", max_run_tokens="5000", max_repeated_calls="0")
    assert agent.budgets == {"max_run_s": 90.0, "max_run_tokens": 5000, "max_repeated_calls": 0}
    shown = client.get(f"/agents/{agent.id}/panels/settings?section=budgets").content.decode()
    assert 'name="max_run_s" value="90"' in shown
    post(client, agent, "settings/budgets", max_run_s="", max_run_tokens="6000", max_repeated_calls="")
    assert agent.budgets == {"max_run_tokens": 6000}


def test_what_no_budget_can_be_is_told_at_the_field(client: Client, agent: Agent) -> None:
    wrong = [
        ("max_run_s", "0"),
        ("max_run_s", "inf"),
        ("max_run_tokens", "1.5"),
        ("max_run_tokens", HUGE),
        ("max_run_cost_usd", "-1"),
        ("max_day_tokens", "many"),
        ("max_day_cost_usd", "1\x00"),
        ("max_repeated_calls", "1"),
        ("max_repeated_calls", "-1"),
        ("max_repeated_calls", "١٢٣٤٥٦٧٨٩٠١٢٣٤"),
    ]
    for field, value in wrong:
        refused = post(client, agent, "settings/budgets", **{field: value})
        assert refused.status_code == 422, field
        assert 'class="errors"' in refused.content.decode()
    assert agent.budgets == {}


# --- tool rules ---------------------------------------------------------------------------------------------------

INSERT = "archival_memory_insert"


@pytest.mark.parametrize(
    ("fields", "rule", "words"),
    [
        ({"type": "run_first"}, {}, f"Call {INSERT} before any other tool."),
        ({"type": "exit_loop"}, {}, f"Calling {INSERT} ends your turn."),
        ({"type": "required_before_exit"}, {}, f"The turn may not end before {INSERT} was called."),
        ({"type": "requires_approval"}, {}, f"Each call of {INSERT} waits for a person."),
        ({"type": "max_count_per_step", "max_count_limit": "3"}, {"max_count_limit": 3}, "at most 3 times"),
        ({"type": "constrain_child_tools", "children": [INSERT]}, {"children": [INSERT]}, "only these may be called"),
        (
            {"type": "conditional", "child_output_mapping": f'{{"yes": "{INSERT}"}}', "default_child": ""},
            {"child_output_mapping": {"yes": INSERT}},
            f"yes → {INSERT}",
        ),
    ],
)
def test_a_rule_is_added_told_in_words_and_taken_away(
    client: Client, agent: Agent, fields: dict[str, object], rule: dict[str, object], words: str
) -> None:
    before = agent.tool_rules
    added = post(client, agent, "settings/rules", tool_name=INSERT, **fields)
    stored = {"tool_name": INSERT, "type": fields["type"], **rule}
    assert agent.tool_rules == [*before, stored]
    assert words in added.content.decode()
    assert post(client, agent, "settings/rules/remove", rule=rule_key(stored)).status_code == 204
    assert agent.tool_rules == before


def test_a_rule_that_cannot_be_is_told_at_the_field(client: Client, agent: Agent) -> None:
    before = agent.tool_rules
    wrong: list[dict[str, object]] = [
        {"type": "fly"},
        {"type": "run_first", "tool_name": "no_such_tool"},
        {"type": "run_first", "tool_name": "a\x00"},
        {"type": "max_count_per_step"},
        {"type": "max_count_per_step", "max_count_limit": HUGE},
        {"type": "parent_last_tool"},
        {"type": "parent_last_tool", "children": ["no_such_tool"]},
        {"type": "conditional", "child_output_mapping": "[]"},
        {"type": "conditional", "child_output_mapping": "[" * 15_000},
        {"type": "conditional", "child_output_mapping": '{"yes": ["x"]}'},
        {"type": "conditional", "child_output_mapping": '{"a\\u0000": "archival_memory_insert"}'},
        {"type": "conditional", "child_output_mapping": '{"\\ud800": "archival_memory_insert"}'},
        {"type": "conditional", "child_output_mapping": '{"yes": "no_such_tool"}'},
    ]
    for fields in wrong:
        refused = post(client, agent, "settings/rules", **{"tool_name": INSERT, **fields})
        assert refused.status_code == 422, fields
        assert 'class="errors"' in refused.content.decode()
    assert agent.tool_rules == before


def test_a_rule_that_is_not_there_cannot_be_taken_away(client: Client, agent: Agent) -> None:
    for rule in ("", "{}", "[", "\x00", "x" * 100_000):
        assert post(client, agent, "settings/rules/remove", rule=rule).status_code == 404


# --- variables ----------------------------------------------------------------------------------------------------


def test_a_variable_is_set_replaced_and_removed_and_its_value_is_in_no_page(client: Client, agent: Agent) -> None:
    for value in ("hunter22-first", "hunter22-second\r\nline"):
        assert post(client, agent, "variables", key="TOKEN", value=value).status_code == 200
    drawn = client.get(f"/agents/{agent.id}", {"main": "settings", "section": "variables"}).content.decode()
    assert "TOKEN" in drawn
    assert "hunter22" not in drawn
    assert [(one.key, unseal(one.sealed)) for one in agent.variables.all()] == [("TOKEN", "hunter22-second\nline")]
    assert post(client, agent, "variables/remove", key="TOKEN").status_code == 204
    assert post(client, agent, "variables/remove", key="TOKEN").status_code == 404
    assert not agent.variables.exists()


@pytest.mark.parametrize("key", ["", "A B", "1A", "A=B", "é", "A" * 200])
def test_a_name_that_no_variable_can_have_is_told(client: Client, agent: Agent, key: str) -> None:
    assert post(client, agent, "variables", key=key, value="x").status_code == 422
    assert not agent.variables.exists()


# --- schedules ----------------------------------------------------------------------------------------------------


def test_a_message_is_scheduled_in_the_agents_time_and_deleted(client: Client, agent: Agent) -> None:
    agents.modify(agent.id, {"timezone": "Asia/Tokyo"})
    post(client, agent, "schedules", **SCHEDULE | {"repeats": "once", "at": "2999-03-01T09:00", "cron": ""})
    once = Schedule.objects.get()
    assert once.scheduled_at is not None
    assert once.scheduled_at.isoformat() == "2999-03-01T00:00:00+00:00"
    assert "2999-03-01 09:00" in client.get(f"/agents/{agent.id}/panels/settings?section=schedules").content.decode()
    added = post(client, agent, "schedules", **SCHEDULE).content.decode()
    assert "0 9 * * *" in added
    assert post(client, agent, f"schedules/{once.id}/delete").status_code == 204
    assert Schedule.objects.get().cron == "0 9 * * *"


def test_a_schedule_that_names_no_time_to_come_is_refused(client: Client, agent: Agent) -> None:
    wrong = [
        {"text": ""},
        {"text": "a\x00"},
        {"text": "é" * 100_001},
        {"role": "assistant"},
        {"repeats": "never"},
        {"cron": ""},
        {"repeats": "once", "at": "tomorrow"},
        {"repeats": "once", "at": ""},
        {"cron": "every day"},
        {"cron": "61 * * * *"},
        {"cron": "0 0 30 2 *"},
        {"cron": "99999999999999999999 * * * *"},
        {"cron": "\uff10 \uff19 \u2603 * *"},
        {"repeats": "once", "at": "2001-01-01T00:00"},
        {"repeats": "once", "at": "0001-01-01T00:00"},
    ]
    for fields in wrong:
        assert post(client, agent, "schedules", **SCHEDULE | fields).status_code == 422, fields
    assert not Schedule.objects.exists()


# --- conversations ------------------------------------------------------------------------------------------------


def test_a_conversation_begins_and_is_deleted(client: Client, agent: Agent) -> None:
    began = post(client, agent, "conversations", summary="The garden", model="").content.decode()
    conversation = Conversation.objects.get()
    assert "The garden" in began
    assert f"?conversation={conversation.id}" in began
    assert post(client, agent, f"conversations/{conversation.id}/delete").status_code == 204
    assert not Conversation.objects.exists()


def test_a_conversation_cannot_be_what_it_is_not(client: Client, agent: Agent) -> None:
    assert post(client, agent, "conversations", summary="a\x00b").status_code == 422
    assert post(client, agent, "conversations", summary="é" * 2001).status_code == 422
    assert post(client, agent, "conversations", model="nobody/knows").status_code == 404
    assert not Conversation.objects.exists()


def test_a_person_talks_in_a_conversation_and_sees_it_alone(client: Client, agent: Agent) -> None:
    conversation = conversations.create(agent.id, summary="The garden")
    run_id = finish(send(agent.id, [Input("user", [{"type": "text", "text": "In my own thread"}])])).run_id
    finish(execute(agent.id, run_id, None, 1))
    address = f"/agents/{agent.id}?conversation={conversation.id}"
    page = client.get(address).content.decode()
    assert "In my own thread" not in page
    assert f'name="conversation" value="{conversation.id}"' in page
    post(client, agent, "messages", text="Roses, please", conversation=conversation.id)
    run = Run.objects.get(conversation=conversation)
    finish(execute(agent.id, run.id, conversation.id, 1))
    trace = client.get(f"/agents/{agent.id}/panels/trace", headers={"HX-Current-URL": f"http://testserver{address}"})
    assert "Roses, please" in trace.content.decode()
    assert "In my own thread" not in trace.content.decode()
    every = client.get(f"/agents/{agent.id}").content.decode()
    assert "In my own thread" in every
    assert "in another conversation" in every


def test_the_conversation_of_another_agent_is_not_found(client: Client, agent: Agent, other: Agent) -> None:
    foreign = conversations.create(other.id).id
    for conversation in (foreign, "conv-none", "x" * 3000, "\u2603"):
        assert client.get(f"/agents/{agent.id}", {"conversation": conversation}).status_code == 404
        assert post(client, agent, "messages", text="Hi", conversation=conversation).status_code == 404
    assert client.get(f"/agents/{agent.id}", {"conversation": "\x00"}).status_code == 200
    assert not Run.objects.exists()


# --- of others ----------------------------------------------------------------------------------------------------


def test_what_another_agent_has_stays_out_of_reach(client: Client, agent: Agent, other: Agent) -> None:
    schedule = schedules.create(other.id, [Input("user", [{"type": "text", "text": "Hi"}])], cron="0 9 * * *")
    conversation = conversations.create(other.id)
    tool = tools.upsert({"source_code": 'def lone() -> int:\n    """Alone."""\n    return 1\n'})
    tools.attach(other.id, tool.id)
    for path in (f"schedules/{schedule.id}/delete", f"conversations/{conversation.id}/delete"):
        assert post(client, agent, path).status_code == 404
    assert post(client, agent, "settings/rules", tool_name="lone", type="run_first").status_code == 422
    assert Schedule.objects.exists()
    assert Conversation.objects.exists()


def test_an_agent_that_does_not_exist_is_not_found(client: Client, builtin_tools: None) -> None:
    sections = ("settings", "settings/compaction", "settings/budgets", "settings/rules", "compact", "recompile")
    for path in (*sections, "schedules", "conversations", "schedules/schedule-%00/delete", "conversations/%00/delete"):
        assert client.post(f"/agents/agent-none/{path}", COMPACTION | SCHEDULE).status_code == 404, path


def test_a_schedule_says_how_its_last_run_went(client: Client, agent: Agent) -> None:
    schedules.create(agent.id, [Input("user", [{"type": "text", "text": "Hi"}])], cron="* * * * *")
    run_id = finish(send(agent.id, [Input("user", [{"type": "text", "text": "Hi"}])])).run_id
    finish(execute(agent.id, run_id, None, 1))
    Schedule.objects.update(last_run_id=run_id, last_sent_at="2026-01-01T00:00:00Z")
    assert ">completed</a>" in client.get(f"/agents/{agent.id}/panels/settings?section=schedules").content.decode()
