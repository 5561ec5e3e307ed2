"""The builtin tools as agents use them, and what each kind of agent starts with (contract: agent-loop, sections 1 to 3)."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, blocks
from agents_core.errors import Refused
from agents_core.events.types import BlockChanged
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, AgentBlock, Author, Block, BlockVersion, Message, Passage, Tool
from tests.runtime.world import events, in_context, make_agent, play, say, spoken, value_of

TOOLS = ["memory", "memory_apply_patch"]
SPEAK = Answer(calls=[("send_message", {"message": "Yes."})])


def calling(name: str, **arguments: Any) -> Answer:
    return Answer(calls=[(name, arguments)])


async def result_of(agent: Agent, name: str, **arguments: Any) -> tuple[str, str]:
    """The status and text of the agent's call."""
    await play(agent, [calling(name, **arguments), "Done."] * 20)
    ended = await say(agent, "Go")
    returned = next(row["tool_returns"][0] for row in reversed(ended.messages) if row["tool_returns"])
    return returned["status"], returned["value"]


async def labels(agent: Agent) -> list[str]:
    return [link.label async for link in AgentBlock.objects.filter(agent=agent).order_by("id")]


async def test_memory_creates_a_block_that_the_next_step_shows_with_the_call_as_its_author() -> None:
    seen: list[str] = []
    create = calling(
        "memory", command="create", path="/memories/plans", description="What is planned.", file_text="Sail."
    )
    agent = await make_agent([create, lambda request: seen.append(request.system) or "Done."], tools=TOOLS)
    await say(agent, "Go")
    assert "<plans>" in seen[0]
    assert "Sail." in seen[0]
    version = await BlockVersion.objects.aget(block__label="plans")
    assert (version.version, version.author, version.agent_id) == (1, Author.AGENT, agent.id)
    assert version.step_id is not None
    [attached] = [event for event in await events(agent, BlockChanged) if event.label == "plans"]
    assert (attached.change, attached.author) == ("attached", "agent")


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"command": "str_replace", "path": "/memories/human", "old_string": "Ada", "new_string": "Bea"}, "Her name is Bea."),
        ({"command": "str_replace", "path": "/memories/human", "old_string": " name"}, "Her is Ada."),
        ({"command": "insert", "path": "/memories/human", "insert_text": "First.", "insert_line": 0}, "First.\nHer name is Ada."),
        ({"command": "insert", "path": "/memories/human", "insert_text": "Last."}, "Her name is Ada.\nLast."),
    ],
)  # fmt: skip
async def test_memory_edits_a_block_and_returns_its_new_value(arguments: dict[str, Any], value: str) -> None:
    agent = await make_agent(tools=TOOLS)
    assert await result_of(agent, "memory", **arguments) == ("success", value)
    assert await value_of(agent) == value


async def test_memory_deletes_a_block_from_the_agent_and_keeps_it_for_others() -> None:
    agent = await make_agent(tools=TOOLS)
    block = await Block.objects.aget(agent_links__agent=agent)
    other = await make_agent(["x"], blocks=[], block_ids=[block.id])
    assert (await result_of(agent, "memory", command="delete", path="/memories/human"))[0] == "success"
    assert (await labels(agent), await labels(other)) == ([], ["human"])
    assert (await events(agent, BlockChanged))[-1].change == "detached"


async def test_memory_renames_a_block_for_all_that_hold_it_and_changes_its_description() -> None:
    agent = await make_agent(tools=TOOLS)
    block = await Block.objects.aget(agent_links__agent=agent)
    other = await make_agent(["x"], blocks=[], block_ids=[block.id])
    renamed = await result_of(
        agent, "memory", command="rename", old_path="/memories/human", new_path="/memories/person"
    )
    assert renamed[0] == "success"
    await result_of(agent, "memory", command="rename", path="/memories/person", description="Who she is.")
    await block.arefresh_from_db()
    assert (block.label, block.description, block.version) == ("person", "Who she is.", 3)
    assert (await labels(agent), await labels(other)) == (["person"], ["person"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"command": "create", "path": "/memories/human", "description": "x"}, "already"),
        ({"command": "create", "path": "/memories/", "description": "x"}, "/memories/<label>"),
        ({"command": "create", "path": "/memories/new"}, "needs description"),
        ({"command": "str_replace", "path": "/memories/nobody", "old_string": "a"}, "Blocks: human"),
        ({"command": "str_replace", "path": "/memories/human", "old_string": "Zoe"}, "not found"),
        ({"command": "rename", "path": "/memories/human"}, "needs old_path and new_path"),
        ({"command": "delete", "path": "/memories/nobody"}, "Blocks: human"),
        ({"command": "explode"}, "no command"),
    ],
)
async def test_a_wrong_use_of_memory_is_told_and_changes_nothing(arguments: dict[str, Any], told: str) -> None:
    agent = await make_agent(tools=TOOLS)
    status, text = await result_of(agent, "memory", **arguments)
    assert (status, told in text) == ("error", True), text
    assert (await labels(agent), await value_of(agent)) == (["human"], "Her name is Ada.")


async def test_a_label_that_another_holder_of_the_block_uses_already_is_refused() -> None:
    agent = await make_agent(tools=TOOLS)
    block = await Block.objects.aget(agent_links__agent=agent)
    await make_agent(["x"], blocks=[{"label": "taken"}], block_ids=[block.id])
    status, text = await result_of(
        agent, "memory", command="rename", old_path="/memories/human", new_path="/memories/taken"
    )
    assert (status, "shares this block" in text) == ("error", True)


async def test_a_read_only_block_can_be_neither_deleted_nor_renamed_nor_patched() -> None:
    agent = await make_agent(tools=TOOLS, blocks=[{"label": "human", "value": "a", "read_only": True}])
    for name, arguments in (
        ("memory", {"command": "delete", "path": "/memories/human"}),
        ("memory", {"command": "rename", "old_path": "/memories/human", "new_path": "/memories/x"}),
        ("memory_apply_patch", {"label": "human", "patch": "+b"}),
    ):
        status, text = await result_of(agent, name, **arguments)
        assert (status, "read-only" in text) == ("error", True)


async def test_a_patch_without_headers_changes_the_block_that_the_label_names() -> None:
    agent = await make_agent(tools=TOOLS)
    patch = "-Her name is Ada.\n+Her name is Bea.\n@@\n+Likes tea."
    assert await result_of(agent, "memory_apply_patch", label="human", patch=patch) == (
        "success",
        "Her name is Bea.\nLikes tea.",
    )


async def test_a_patch_with_headers_adds_updates_moves_and_deletes() -> None:
    agent = await make_agent(tools=TOOLS, blocks=[{"label": "human", "value": "Ada"}, {"label": "old", "value": "x"}])
    patch = (
        "*** Add Block: plans\nDescription: What is planned.\n+Sail.\n+Rest.\n*** Update Block: human\n-Ada\n+Bea\n"
        "*** Move to: person\n*** Delete Block: old"
    )
    status, text = await result_of(agent, "memory_apply_patch", label="human", patch=patch)
    assert (status, len(text.split("\n"))) == ("success", 4)
    assert sorted(await labels(agent)) == ["person", "plans"]
    assert await value_of(agent, "person") == "Bea"
    plans = await Block.objects.aget(label="plans")
    assert (plans.value, plans.description) == ("Sail.\nRest.", "What is planned.")


async def test_a_patch_of_which_one_part_fails_changes_nothing_and_the_next_call_sees_the_block_as_it_was() -> None:
    patch = "*** Update Block: human\n-Her name is Ada.\n+Her name is Bea.\n*** Delete Block: nobody"
    append = ("core_memory_append", {"label": "human", "content": "Likes tea."})
    both = Answer(calls=[("memory_apply_patch", {"label": "human", "patch": patch}), append])
    agent = await make_agent(
        [both, "Done."], tools=[*TOOLS, "core_memory_append"], model_settings={"parallel_tool_calls": True}
    )
    ended = await say(agent, "Go")
    assert [each["status"] for each in ended.messages[1]["tool_returns"]] == ["error", "success"]
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_two_conversations_that_create_one_label_at_once_end_with_one_block_and_one_error() -> None:
    import asyncio

    from agents_core.actions import conversations

    create = calling("memory", command="create", path="/memories/plans", description="x", file_text="y")
    agent = await make_agent([create, "Done."], tools=TOOLS)
    threads = [(await sync_to_async(conversations.create)(agent.id)).id for _ in range(3)]
    ended = await asyncio.gather(*(say(agent, "Go", conversation_id=thread) for thread in threads))
    statuses = sorted(run.messages[1]["tool_returns"][0]["status"] for run in ended)
    assert statuses == ["error", "error", "success"]
    assert sorted(await labels(agent)) == ["human", "plans"]


# --- kinds -----------------------------------------------------------------------------------------------------------


async def named_tools(agent: Agent) -> set[str]:
    return {tool.name async for tool in Tool.objects.filter(agent_links__agent=agent)}


CHAT = {"send_message", "conversation_search"}
KINDS = [
    ("letta_v1_agent", {"conversation_search", "memory_replace", "memory_insert"}),
    ("memgpt_agent", {*CHAT, "core_memory_append", "core_memory_replace", "memory", "memory_apply_patch"}),
    ("memgpt_v2_agent", {*CHAT, "memory_replace", "memory_insert"}),
    ("sleeptime_agent", {"memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"}),
    ("voice_sleeptime_agent", {"store_memories", "rethink_user_memory", "finish_rethinking_memory"}),
    ("react_agent", set()),
    ("workflow_agent", set()),
]


@pytest.mark.parametrize(("kind", "names"), KINDS)
async def test_a_kind_starts_with_its_own_tools_and_with_none_if_told_so(kind: str, names: set[str]) -> None:
    assert await named_tools(await make_agent(agent_type=kind, include_base_tools=True)) == names
    assert await named_tools(await make_agent(agent_type=kind, include_base_tools=False)) == set()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("letta_v1_agent", {"conversation_search", "archival_memory_search"}),
        ("memgpt_agent", {*CHAT, "archival_memory_search"}),
        ("voice_convo_agent", {"send_message", "search_memory"}),
    ],
)
async def test_an_agent_whose_memory_is_tended_starts_without_tools_that_edit_it(kind: str, names: set[str]) -> None:
    agent = await make_agent(agent_type=kind, include_base_tools=True, enable_sleeptime=True)
    assert await named_tools(agent) == names


async def test_multi_agent_tools_come_when_asked_for() -> None:
    assert await named_tools(await make_agent(include_multi_agent_tools=True)) == {
        "send_message_to_agent_and_wait_for_reply",
        "send_message_to_agents_matching_tags",
        "send_message_to_agent_async",
    }


async def test_a_voice_agent_needs_a_sleeptime_agent() -> None:
    with pytest.raises(Refused, match="enable_sleeptime"):
        await make_agent(agent_type="voice_convo_agent")


RULED = {"send_message": "exit_loop", "core_memory_append": "continue_loop"}


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"agent_type": "memgpt_agent"}, RULED),
        ({"agent_type": "memgpt_agent", "include_base_tool_rules": False}, {}),
        ({"agent_type": "memgpt_agent", "model": "scripted/gpt-5"}, {}),
        ({"agent_type": "memgpt_agent", "model": "scripted/gpt-5-mini"}, RULED),
        ({"agent_type": "letta_v1_agent"}, {}),
        ({"agent_type": "letta_v1_agent", "include_base_tool_rules": True}, RULED),
        ({"agent_type": "sleeptime_agent", "include_base_tool_rules": False}, RULED),
        (
            {"agent_type": "memgpt_agent", "tool_rules": [{"type": "exit_loop", "tool_name": "core_memory_append"}]},
            {"core_memory_append": "exit_loop", "send_message": "exit_loop"},
        ),
    ],
)
async def test_base_tool_rules_are_made_for_the_kinds_and_models_that_need_them(
    fields: dict[str, Any], rules: dict[str, str]
) -> None:
    agent = await make_agent(tools=list(RULED), **fields)
    assert {rule["tool_name"]: rule["type"] for rule in agent.tool_rules} == rules


async def test_finishing_its_edits_ends_the_turn_of_a_sleeptime_agent() -> None:
    agent = await make_agent([calling("memory_finish_edits")], agent_type="sleeptime_agent", include_base_tools=True)
    ended = await say(agent, "Go")
    assert (ended.stop_reason, ended.steps) == ("tool_rule", 1)
    assert ended.messages[1]["tool_returns"][0]["value"] == "None"


async def test_what_a_sleeptime_agent_writes_is_known_as_its_own() -> None:
    rethink = calling("memory_rethink", label="human", new_memory="Ada, a sailor.")
    agent = await make_agent([rethink, "Done."], agent_type="sleeptime_agent", tools=["memory_rethink"])
    await say(agent, "Go")
    assert (await BlockVersion.objects.aget(block__label="human", version=2)).author == Author.SLEEPTIME


# --- openings --------------------------------------------------------------------------------------------------------


async def roles(agent: Agent) -> list[str]:
    return [message.role for message in await in_context(agent)]


async def test_the_history_of_a_kind_that_speaks_by_a_tool_begins_with_a_greeting_and_a_login() -> None:
    agent = await make_agent(agent_type="memgpt_agent")
    assert await roles(agent) == ["system", "assistant", "tool", "user"]
    *_, greeting, _, login = await in_context(agent)
    assert greeting.tool_calls[0]["name"] == "send_message"
    assert json.loads(spoken(login))["type"] == "login"


@pytest.mark.parametrize(
    ("kind", "opening"),
    [("letta_v1_agent", None), ("sleeptime_agent", None), ("workflow_agent", None), ("memgpt_agent", ())],
)
async def test_other_histories_and_an_empty_opening_begin_with_the_system_message_alone(
    kind: str, opening: Any
) -> None:
    assert await roles(await make_agent(agent_type=kind, opening=opening)) == ["system"]


async def test_resetting_can_begin_the_history_anew() -> None:
    agent = await make_agent([SPEAK], agent_type="memgpt_agent", tools=["send_message"])
    await say(agent, "Hi")
    await sync_to_async(agents.reset_messages)(agent.id)
    assert await roles(agent) == ["system"]
    await sync_to_async(agents.reset_messages)(agent.id, open_anew=True)
    assert await roles(agent) == ["system", "assistant", "tool", "user"]
    await play(agent, [SPEAK])
    assert (await say(agent, "Hi")).status == "completed"


async def test_a_workflow_agent_always_forgets() -> None:
    agent = await make_agent(
        [lambda request: str(len(request.messages))] * 2, agent_type="workflow_agent", message_buffer_autoclear=False
    )
    await say(agent, "One")
    assert spoken((await say(agent, "Two")).messages[0]) == "1"
    assert await roles(agent) == ["system"]


# --- thoughts and formats ---------------------------------------------------------------------------------------------


async def test_thoughts_in_arguments_are_asked_first_shown_as_text_and_shown_to_the_model_as_it_wrote_them() -> None:
    requests: list[ModelRequest] = []

    def think(request: ModelRequest) -> Answer:
        requests.append(request)
        return Answer(calls=[("send_message", {"thinking": "She greets me.", "message": "Hello."})])

    agent = await make_agent(
        [think, think], agent_type="memgpt_agent", tools=["send_message", "core_memory_append"], opening=(),
        model_settings={"put_inner_thoughts_in_kwargs": True},
    )  # fmt: skip
    ended = await say(agent, "Hi")
    for tool in requests[0].tools:
        assert next(iter(tool.parameters["properties"])) == "thinking"
        assert tool.parameters["required"][0] == "thinking"
    answer = ended.messages[0]
    assert spoken(answer) == "She greets me."
    assert json.loads(answer["tool_calls"][0]["arguments"]) == {"message": "Hello."}
    await say(agent, "Again")
    earlier = next(message for message in requests[1].messages if message.role == "assistant")
    assert earlier.text == ""
    assert json.loads(earlier.tool_calls[0].arguments) == {"thinking": "She greets me.", "message": "Hello."}


async def test_a_v1_agent_never_thinks_in_arguments() -> None:
    offered: list[str] = []
    agent = await make_agent(
        [lambda request: offered.extend(request.tools[0].parameters["properties"]) or "Done."],
        tools=["conversation_search"], model_settings={"put_inner_thoughts_in_kwargs": True},
    )  # fmt: skip
    await say(agent, "Hi")
    assert "query" in offered
    assert "thinking" not in offered


SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
AS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("format_", "type_"), [({"type": "text"}, "string"), ({"type": "json_object"}, "object"), (AS_SCHEMA, "object")]
)
async def test_a_format_shapes_the_message_of_a_kind_that_speaks_by_a_tool(format_: Any, type_: str) -> None:
    requests: list[ModelRequest] = []
    speak = Answer(calls=[("send_message", {"message": {"answer": "Yes."} if type_ == "object" else "Yes."})])
    agent = await make_agent(
        [lambda request: requests.append(request) or speak], agent_type="memgpt_agent", tools=["send_message"],
        response_format=format_,
    )  # fmt: skip
    assert (await say(agent, "Hi")).status == "completed"
    shown = requests[0].tools[0].parameters["properties"]["message"]
    assert shown["type"] == type_
    assert shown == SCHEMA or format_ != AS_SCHEMA
    assert requests[0].response_format is None


@pytest.mark.parametrize(("format_", "sent"), [({"type": "text"}, None), (AS_SCHEMA, AS_SCHEMA)])
async def test_a_format_goes_to_the_provider_for_a_kind_that_speaks_plainly(format_: Any, sent: Any) -> None:
    requests: list[ModelRequest] = []
    agent = await make_agent([lambda request: requests.append(request) or "{}"], response_format=format_)
    await say(agent, "Hi")
    assert requests[0].response_format == sent


# --- shared blocks ---------------------------------------------------------------------------------------------------


async def test_what_one_agent_writes_stands_in_the_next_step_of_another_that_shares_the_block() -> None:
    block = await sync_to_async(blocks.create)(Author.API, label="shared", value="Nothing yet.")
    seen: list[str] = []
    writer = await make_agent(
        [calling("memory_replace", label="shared", old_string="Nothing yet.", new_string="Tea at four."), "Done."],
        tools=["memory_replace"], blocks=[], block_ids=[block.id],
    )  # fmt: skip
    reader = await make_agent(
        [calling("conversation_search", query="x"), lambda request: seen.append(request.system) or "Done."],
        tools=["conversation_search"], blocks=[], block_ids=[block.id],
    )  # fmt: skip
    await say(writer, "Write")
    await say(reader, "Read")
    assert "Tea at four." in seen[0]


async def test_of_two_agents_that_rewrite_the_same_words_at_once_one_is_told_and_nothing_is_lost() -> None:
    import asyncio

    block = await sync_to_async(blocks.create)(Author.API, label="shared", value="The plan: rest.")

    def rewrite(words: str) -> Answer:
        arguments = {"label": "shared", "old_string": "rest", "new_string": words}
        return Answer(calls=[("memory_replace", arguments)], delay_s=0.1)

    writers = [
        await make_agent([rewrite(words), "Done."], tools=["memory_replace"], blocks=[], block_ids=[block.id])
        for words in ("sail", "climb")
    ]
    ended = await asyncio.gather(*(say(writer, "Write") for writer in writers))
    results = [run.messages[1]["tool_returns"][0] for run in ended]
    assert sorted(result["status"] for result in results) == ["error", "success"]
    written = next(result["value"] for result in results if result["status"] == "success")
    assert (await Block.objects.aget(id=block.id)).value == written


# --- voice -----------------------------------------------------------------------------------------------------------


async def test_a_voice_agent_looks_up_what_was_said() -> None:
    search = Answer(calls=[("search_memory", {"convo_keyword_queries": ["lighthouse"], "request_heartbeat": True})])
    speak = Answer(calls=[("send_message", {"message": "Tom keeps it."})])
    agent = await make_agent(
        [speak, search, speak], agent_type="voice_convo_agent", enable_sleeptime=True, include_base_tools=True
    )
    await say(agent, "The lighthouse keeper is called Tom.")
    ended = await say(agent, "Who is it?")
    found = json.loads(ended.messages[1]["tool_returns"][0]["value"])
    assert "Tom" in json.dumps(found["lighthouse"]["messages"])


async def test_rethinking_rewrites_what_is_known_of_the_person_and_finishing_ends_the_turn() -> None:
    answers = [calling("rethink_user_memory", new_memory="Ada, a sailor."), calling("finish_rethinking_memory")]
    agent = await make_agent(answers, agent_type="voice_sleeptime_agent", include_base_tools=True)
    ended = await say(agent, "Go")
    assert (ended.status, ended.steps) == ("completed", 2)
    assert await value_of(agent) == "Ada, a sailor."


async def test_memories_can_only_be_stored_of_lines_that_were_shown() -> None:
    chunk = {"start_index": 0, "end_index": 1, "context": "About tea."}
    agent = await make_agent(agent_type="voice_sleeptime_agent", include_base_tools=True)
    await play(agent, [calling("store_memories", chunks=[chunk]), calling("finish_rethinking_memory")])
    ended = await say(agent, "Go")
    returned = ended.messages[1]["tool_returns"][0]
    assert (returned["status"], "shown no conversation" in returned["value"]) == ("error", True)
    assert not await Passage.objects.aexists()
    assert await Message.objects.filter(agent=agent, role="tool").acount() == 2
