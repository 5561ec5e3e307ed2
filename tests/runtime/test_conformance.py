"""The behaviours of agents (contract: agent-loop), one row each, over the scripted model: told alike in JSON, in streams and in the
background."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from agents_core.llm.errors import (
    ContextWindowExceeded,
    InvalidModelResponse,
    ModelAuthenticationError,
    ModelInsufficientCredits,
    ModelRateLimited,
    ModelTimeout,
)
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import Image, ModelRequest
from tests.api.conftest import Api, worker_beside
from tests.runtime.conforming import SUMMARY, WAYS, Row, fits, lasting, lines, play
from tests.runtime.world import everything_closed

# --- what rows are made of -------------------------------------------------------------------------------------------

TOOLS = {
    "add(a: int, b: int) -> int": "return a + b",
    "echo(text: str) -> str": "return text",
    "nothing() -> None": "return None",
    "facts() -> dict": "return {'city': 'Lisbon', 'hills': 7}",
    "number() -> float": "return 3.5",
    "long() -> str": "return 'x' * 60",
    "broken() -> str": "raise ValueError('no luck')",
    "verbose() -> str": "raise ValueError('x' * 5000)",
    "deploy(where: str) -> str": "return f'deployed to {where}'",
}
EXTRAS: dict[str, dict[str, Any]] = {
    "long": {"return_char_limit": 10},
    "deploy": {"default_requires_approval": True},
    "echo": {"enable_parallel_execution": True},
}
PARALLEL = {"model_settings": {"provider_type": "openai", "parallel_tool_calls": True}}
MEMGPT = {"agent_type": "memgpt_agent"}
PAGE = {"name": "open_page", "parameters": {"type": "object", "properties": {"url": {"type": "string"}}}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
FILLER = "The harbour master wrote down every ship that came in on that day. " * 60
FULL: dict[str, Any] = {
    "context_window_limit": 4000,
    "initial_message_sequence": [{"role": "user", "content": FILLER}, {"role": "assistant", "content": "Noted."}] * 4,
}
ROOMY = {"initial_message_sequence": FULL["initial_message_sequence"]}
COMPACTIONS = {"include_compaction_messages": True}


def source(signature: str, body: str) -> str:
    """A tool's source, with the docstring that it needs."""
    described = "".join(f"\n        {name}: As it says." for name in re.findall(r"(\w+): ", signature))
    arguments = f"\n\n    Args:{described}" if described else ""
    return f'def {signature}:\n    """As its name says.{arguments}\n    """\n    {body}\n'


def calling(name: str, text: str = "", reasoning: str = "", /, **arguments: Any) -> Answer:
    return Answer(text, [(name, arguments)], reasoning)


def raw(name: str, arguments: str) -> Answer:
    return Answer(calls=[(name, arguments)])


def together(*calls: tuple[str, dict[str, Any]], text: str = "") -> Answer:
    return Answer(text, calls)


def rule(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "tool_name": name, **more}


def block(value: str, **more: Any) -> dict[str, Any]:
    return {"memory_blocks": [{"label": "human", "value": value, **more}]}


def approval(approve: bool, call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {
        "messages": [
            {
                "type": "approval",
                "approvals": [{"type": "approval", "tool_call_id": call_id, "approve": approve, **more}],
            }
        ]
    }


def result(text: str, call_id: str = "call_1", status: str = "success", **more: Any) -> dict[str, Any]:
    given = {"type": "tool", "tool_call_id": call_id, "tool_return": text, "status": status}
    return {"messages": [{"type": "tool_return", "tool_returns": [given]}], **more}


def offered(request: ModelRequest) -> set[str]:
    return {tool.name for tool in request.tools}


def schema(request: ModelRequest, name: str) -> dict[str, Any]:
    return next(tool.parameters for tool in request.tools if tool.name == name)


def in_order(text: str, *parts: str) -> bool:
    """Whether the parts stand in the text one after the other."""
    return fits("…" + "…".join(parts) + "…", text)


async def cancel(api: Api, agent_id: str) -> None:
    """Cancels the agent's run once its model was asked."""
    while not any(run["status"] == "running" for run in await api.get("/runs/", agent_id=agent_id)):
        await asyncio.sleep(0.005)
    await api.post(f"/agents/{agent_id}/messages/cancel")


def edit(
    name: str, rule: str, told: str, before: str, after: str, more: dict[str, Any] | None = None, /, **arguments: Any
) -> Row:
    """A row of one call of a memory tool on the block "human"."""
    return Row(
        rule,
        [Answer(calls=[(name, arguments)]), "Done."],
        ["calls …", told, "says Done.", "= end_turn"],
        tools=[name],
        agent=block(before, **more or {}),
        blocks={"human": after},
    )


# --- the table -------------------------------------------------------------------------------------------------------

CONTINUING = [
    Row("2 an answer without a call ends the turn", ["Hello."], ["says Hello.", "= end_turn"]),
    Row("2 an empty answer ends the turn and stores nothing", [""], ["= end_turn"]),
    Row(
        "2 the turn goes on while the model calls tools",
        [calling("add", a=1, b=2), calling("add", a=3, b=4), "7."],
        ['calls add {"a": 1, "b": 2}', "returns 3", 'calls add {"a": 3, "b": 4}', "returns 7", "says 7.", "= end_turn"],
        tools=["add"],
        seen=lambda requests: '"status": "OK"' in requests[1].messages[-1].text and len(requests) == 3,
    ),
    Row(
        "2 text beside a call is said",
        [calling("add", "I add.", a=1, b=2), "3."],
        ["says I add.", "calls add…", "returns 3", "says 3.", "= end_turn"],
        tools=["add"],
    ),
    Row(
        "2 reasoning comes before what it led to",
        [calling("add", "I add.", "A sum of small numbers.", a=1, b=2), Answer("3.", reasoning="Easy.")],
        ["thinks A sum…", "says I add.", "calls add…", "returns 3", "thinks Easy.", "says 3.", "= end_turn"],
        tools=["add"],
    ),
    Row(
        "2 the last step that is allowed ends with max_steps",
        [calling("add", a=1, b=2)] * 2,
        ["calls add…", "returns 3", "calls add…", "returns 3", "= max_steps"],
        sends=[{"input": "Go", "max_steps": 2}],
        tools=["add"],
    ),
    Row(
        "2 heartbeats are not offered, and a heartbeat or a thought among the arguments does not reach the tool",
        [calling("add", a=1, b=2, request_heartbeat=False, thinking="Hm."), "3."],
        ["calls add…", "returns 3", "says 3.", "= end_turn"],
        tools=["add"],
        seen=lambda requests: set(schema(requests[0], "add")["properties"]) == {"a", "b"},
    ),
    Row(
        "2 the messages of one request after another share the context",
        ["One.", lambda request: f"{len(request.messages)} messages."],
        ["says One.", "= end_turn", "says 3 messages.", "= end_turn"],
        sends=["Go", "On"],
    ),
    Row(
        "2 a request may hold several messages, and they are not told again",
        [lambda request: " ".join(message.text for message in request.messages)],
        ["says One. Two.", "= end_turn"],
        sends=[{"messages": [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}]}],
    ),
]

RULES = [
    Row(
        "2 exit_loop ends the turn with tool_rule",
        [calling("echo", text="bye")],
        ["calls echo…", "returns bye", "= tool_rule"],
        tools=["echo"],
        rules=[rule("exit_loop", "echo")],
    ),
    Row(
        "2 continue_loop changes nothing where the turn goes on anyhow",
        [calling("echo", text="a"), "Done."],
        ["calls echo…", "returns a", "says Done.", "= end_turn"],
        tools=["echo"],
        rules=[rule("continue_loop", "echo")],
    ),
    Row(
        "2 run_first offers its tool alone and forces it, then all",
        [calling("echo", text="a"), "Done."],
        ["calls echo…", "returns a", "says Done.", "= end_turn"],
        tools=["echo", "add"],
        rules=[rule("run_first", "echo")],
        seen=lambda requests: (
            [offered(each) for each in requests] == [{"echo"}, {"echo", "add"}]
            and [each.tool_choice for each in requests] == ["echo", "auto"]
        ),
    ),
    Row(
        "2 run_first sets the arguments that it gives",
        [calling("add", a=9, b=2), "Done."],
        ["calls add…", "returns 3", "says Done.", "= end_turn"],
        tools=["add"],
        rules=[rule("run_first", "add", args={"a": 1})],
    ),
    Row(
        "2 run_first counts in each request anew",
        [calling("echo", text="a"), "Done.", calling("echo", text="b"), "Done."],
        [
            "calls echo…",
            "returns a",
            "says Done.",
            "= end_turn",
            "calls echo…",
            "returns b",
            "says Done.",
            "= end_turn",
        ],
        sends=["Go", "On"],
        tools=["echo", "add"],
        rules=[rule("run_first", "echo")],
        seen=lambda requests: offered(requests[2]) == {"echo"},
    ),
    Row(
        "2 a call that a rule forbids is answered with an error and the turn goes on",
        [calling("add", a=1, b=2), calling("echo", text="a"), "Done."],
        ["calls add…", "fails …ToolConstraintError…echo…", "calls echo…", "returns a", "says Done.", "= end_turn"],
        tools=["echo", "add"],
        rules=[rule("run_first", "echo")],
        seen=lambda requests: '"status": "Failed"' in requests[1].messages[-1].text,
    ),
    Row(
        "2 constrain_child_tools offers the children next, with the arguments that it gives",
        [calling("echo", text="a"), calling("add", b=2), "Done."],
        ["calls echo…", "returns a", "calls add…", "returns 3", "says Done.", "= end_turn"],
        tools=["echo", "add", "nothing"],
        rules=[
            rule("constrain_child_tools", "echo", children=["add"], child_arg_nodes=[{"name": "add", "args": {"a": 1}}])
        ],
        seen=lambda requests: (
            [offered(each) for each in requests] == [{"echo", "add", "nothing"}, {"add"}, {"echo", "add", "nothing"}]
        ),
    ),
    Row(
        "2 parent_last_tool offers the children only right after the parent",
        [calling("add", a=1, b=2), calling("echo", text="a"), calling("add", a=1, b=2), "Done."],
        [
            "calls add…",
            "fails …ToolConstraintError…",
            "calls echo…",
            "returns a",
            "calls add…",
            "returns 3",
            "says Done.",
            "= end_turn",
        ],
        tools=["echo", "add", "nothing"],
        rules=[rule("parent_last_tool", "echo", children=["add"])],
        seen=lambda requests: (
            [offered(each) for each in requests][1:] == [{"echo", "nothing"}, {"add"}, {"echo", "nothing"}]
        ),
    ),
    Row(
        "2 conditional offers what the result stands for",
        [calling("echo", text="blue"), calling("nothing"), "Done."],
        ["calls echo…", "returns blue", "calls nothing…", "returns None", "says Done.", "= end_turn"],
        tools=["echo", "add", "nothing"],
        rules=[
            rule("conditional", "echo", child_output_mapping={"red": "add", "blue": "nothing"}, default_child="add")
        ],
        seen=lambda requests: offered(requests[1]) == {"nothing"},
    ),
    Row(
        "2 conditional offers its default for any other result",
        [calling("echo", text="green"), calling("add", a=1, b=2), "Done."],
        ["calls echo…", "returns green", "calls add…", "returns 3", "says Done.", "= end_turn"],
        tools=["echo", "add", "nothing"],
        rules=[rule("conditional", "echo", child_output_mapping={"blue": "nothing"}, default_child="add")],
        seen=lambda requests: offered(requests[1]) == {"add"},
    ),
    Row(
        "2 conditional without a default offers all for any other result",
        [calling("echo", text="green"), "Done."],
        ["calls echo…", "returns green", "says Done.", "= end_turn"],
        tools=["echo", "add", "nothing"],
        rules=[rule("conditional", "echo", child_output_mapping={"blue": "nothing"})],
        seen=lambda requests: offered(requests[1]) == {"echo", "add", "nothing"},
    ),
    Row(
        "2 conditional that requires a mapping has no default",
        [calling("echo", text="green"), "Done."],
        ["calls echo…", "returns green", "says Done.", "= end_turn"],
        tools=["echo", "add"],
        rules=[
            rule(
                "conditional",
                "echo",
                child_output_mapping={"blue": "add"},
                default_child="add",
                require_output_mapping=True,
            )
        ],
        seen=lambda requests: offered(requests[1]) != {"add"},
    ),
    Row(
        "2 conditional knows a result that is no text",
        [calling("add", a=1, b=2), calling("nothing"), "Done."],
        ["calls add…", "returns 3", "calls nothing…", "returns None", "says Done.", "= end_turn"],
        tools=["echo", "add", "nothing"],
        rules=[rule("conditional", "add", child_output_mapping={"3": "nothing"}, default_child="echo")],
        seen=lambda requests: offered(requests[1]) == {"nothing"},
    ),
    Row(
        "2 max_count_per_step allows exactly so many calls in a request",
        [calling("echo", text="a"), calling("echo", text="b"), calling("echo", text="c"), "Done."],
        [
            "calls echo…",
            "returns a",
            "calls echo…",
            "returns b",
            "calls echo…",
            "fails …ToolConstraintError…",
            "says Done.",
            "= end_turn",
        ],
        tools=["echo", "add"],
        rules=[rule("max_count_per_step", "echo", max_count_limit=2)],
        seen=lambda requests: [offered(each) for each in requests][1:3] == [{"echo", "add"}, {"add"}],
    ),
    Row(
        "2 the steps that are allowed end a turn that lacks a required tool too",
        ["Bye."] * 2,
        ["says Bye.", "heartbeat …echo…", "says Bye.", "= max_steps"],
        sends=[{"input": "Go", "max_steps": 2}],
        tools=["echo"],
        rules=[rule("required_before_exit", "echo")],
    ),
    Row(
        "2 a tool that ends the turn ends it with tool_rule in the last step as well",
        [calling("echo", text="bye")],
        ["calls echo…", "returns bye", "= tool_rule"],
        sends=[{"input": "Go", "max_steps": 1}],
        tools=["echo"],
        rules=[rule("exit_loop", "echo")],
    ),
    Row(
        "2 a tool that ends the turn does not when it fails",
        [calling("broken"), "Pity."],
        ["calls broken {}", "fails …no luck…", "says Pity.", "= end_turn"],
        tools=["broken"],
        rules=[rule("exit_loop", "broken")],
    ),
    Row(
        "2 required_before_exit tells an agent that would stop what is missing",
        ["Bye.", calling("echo", text="a"), "Bye."],
        ["says Bye.", "heartbeat …echo…", "calls echo…", "returns a", "says Bye.", "= end_turn"],
        tools=["echo"],
        rules=[rule("required_before_exit", "echo")],
    ),
    Row(
        "2 required_before_exit overrides a tool that ends the turn",
        [calling("add", a=1, b=2), calling("echo", text="a"), calling("add", a=1, b=2)],
        [
            "calls add…",
            "returns 3",
            "heartbeat …echo…",
            "calls echo…",
            "returns a",
            "calls add…",
            "returns 3",
            "= tool_rule",
        ],
        tools=["echo", "add"],
        rules=[rule("required_before_exit", "echo"), rule("exit_loop", "add")],
    ),
    Row(
        "2 rules are told in the prompt",
        ["Done."],
        ["says Done.", "= end_turn"],
        tools=["echo"],
        rules=[rule("max_count_per_step", "echo", max_count_limit=2)],
        seen=lambda requests: "<tool_usage_rules>" in requests[0].system,
    ),
]

APPROVALS = [
    Row(
        "2 requires_approval ends the turn with the request; approved, the tool runs and the turn goes on",
        [calling("deploy", where="Mars"), "Done."],
        [
            'asks deploy {"where": "Mars"}',
            "= requires_approval",
            "returns deployed to Mars",
            "says Done.",
            "= end_turn",
        ],
        sends=["Go", approval(True)],
        tools=["deploy"],
    ),
    Row(
        "2 text and reasoning beside a request are told before it",
        [calling("deploy", "Shall I?", "It is risky.", where="Mars")],
        ["thinks It is risky.", "says Shall I?", "asks deploy…", "= requires_approval"],
        tools=["deploy"],
    ),
    Row(
        "2 a denial is the call's error, with the reason",
        [calling("deploy", where="Mars"), "Pity."],
        ["asks deploy…", "= requires_approval", "fails …denied…Too far…", "says Pity.", "= end_turn"],
        sends=["Go", approval(False, reason="Too far.")],
        tools=["deploy"],
        seen=lambda requests: "Too far." in requests[1].messages[-1].text,
    ),
    Row(
        "2 a request may be answered with the result itself",
        [calling("deploy", where="Mars"), "Done."],
        ["asks deploy…", "= requires_approval", "returns by hand", "says Done.", "= end_turn"],
        sends=["Go", result("by hand")],
        tools=["deploy"],
    ),
    Row(
        "2 calls beside one that waits wait with it, and all are answered in their order",
        [together(("echo", {"text": "a"}), ("deploy", {"where": "Mars"}), ("add", {"a": 1, "b": 2})), "Done."],
        [
            'calls echo {"text": "a"} & add {"a": 1, "b": 2}',
            'asks deploy {"where": "Mars"}',
            "= requires_approval",
            "returns a & returns deployed to Mars & returns 3",
            "says Done.",
            "= end_turn",
        ],
        sends=["Go", approval(True, "call_2")],
        tools=["deploy", "echo", "add"],
        agent=PARALLEL,
    ),
    Row(
        "2 plain messages beside an approval come after the result",
        [
            calling("deploy", where="Mars"),
            lambda request: " ".join(f"{message.role}:{message.text[:5]}" for message in request.messages[-2:]),
        ],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", 'says tool:{"sta user:Hurry', "= end_turn"],
        sends=[
            "Go",
            {"messages": [*approval(True)["messages"], {"role": "user", "content": "Hurry."}]},
        ],
        tools=["deploy"],
    ),
    Row(
        "2 an approved call that ends the turn ends it",
        [calling("deploy", where="Mars")],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", "= tool_rule"],
        sends=["Go", approval(True)],
        tools=["deploy"],
        rules=[rule("exit_loop", "deploy"), rule("requires_approval", "deploy")],
    ),
    Row(
        "2 the caller's own tools are offered and wait for the caller",
        [calling("open_page", url="a.example"), "Read."],
        ['asks open_page {"url": "a.example"}', "= requires_approval", "returns <html>", "says Read.", "= end_turn"],
        sends=[{"input": "Go", "client_tools": [PAGE]}, result("<html>", client_tools=[PAGE])],
        seen=lambda requests: offered(requests[0]) == {"open_page"},
    ),
    Row(
        "2 several calls that wait are each answered as they are decided",
        [together(("deploy", {"where": "Mars"}), ("deploy", {"where": "Venus"}), ("deploy", {"where": "Io"})), "Done."],
        [
            'asks deploy {"where": "Mars"} & deploy {"where": "Venus"} & deploy {"where": "Io"}',
            "= requires_approval",
            "returns deployed to Mars & fails …denied…Too hot… & returns by hand",
            "says Done.",
            "= end_turn",
        ],
        sends=[
            "Go",
            {
                "messages": [
                    {
                        "type": "approval",
                        "approvals": [
                            {"type": "approval", "tool_call_id": "call_1", "approve": True},
                            {"type": "approval", "tool_call_id": "call_2", "approve": False, "reason": "Too hot."},
                            {"type": "tool", "tool_call_id": "call_3", "tool_return": "by hand", "status": "success"},
                        ],
                    }
                ]
            },
        ],
        tools=["deploy"],
        agent=PARALLEL,
    ),
    Row(
        "2 after an approval the turn may have to wait again",
        [calling("deploy", where="Mars"), calling("deploy", where="Io"), "Done."],
        [
            *("asks deploy…Mars…", "= requires_approval", "returns deployed to Mars"),
            *("asks deploy…Io…", "= requires_approval", "returns deployed to Io", "says Done.", "= end_turn"),
        ],
        sends=["Go", approval(True), approval(True, "call_2")],
        tools=["deploy"],
    ),
    Row(
        "2 rules count an approved call, so that run_first does not begin again",
        [calling("deploy", where="Mars"), "Done."],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", "says Done.", "= end_turn"],
        sends=["Go", approval(True)],
        tools=["deploy", "echo"],
        rules=[rule("run_first", "deploy"), rule("requires_approval", "deploy")],
        seen=lambda requests: [offered(each) for each in requests] == [{"deploy"}, {"deploy", "echo"}],
    ),
    Row(
        "2 arguments that a rule sets are those of an approved call",
        [calling("deploy"), "Done."],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", "says Done.", "= end_turn"],
        sends=["Go", approval(True)],
        tools=["deploy"],
        rules=[rule("run_first", "deploy", args={"where": "Mars"}), rule("requires_approval", "deploy")],
    ),
    Row(
        "2 a heartbeat that was asked for counts after the approval",
        [calling("deploy", where="Mars", request_heartbeat=True), calling("send_message", message="Done.")],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", "heartbeat …", "says Done.", "= end_turn"],
        sends=["Go", approval(True)],
        tools=["send_message", "deploy"],
        agent=MEMGPT,
    ),
    Row(
        "2 without a heartbeat the turn ends after the approved call",
        [calling("deploy", where="Mars", request_heartbeat=False)],
        ["asks deploy…", "= requires_approval", "returns deployed to Mars", "= end_turn"],
        sends=["Go", approval(True)],
        tools=["send_message", "deploy"],
        agent=MEMGPT,
    ),
    Row(
        "2 speaking beside a call that waits is told once",
        [together(("send_message", {"message": "Shall I?"}), ("deploy", {"where": "Mars"}))],
        ["says Shall I?", "asks deploy…", "= requires_approval", "returns deployed to Mars", "= end_turn"],
        sends=["Go", approval(True, "call_2")],
        tools=["send_message", "deploy"],
        agent=MEMGPT | PARALLEL,
    ),
    Row(
        "2 a failure of the caller's tool is the call's error",
        [calling("open_page", url="a.example"), "Pity."],
        ["asks open_page…", "= requires_approval", "fails no such page", "says Pity.", "= end_turn"],
        sends=[{"input": "Go", "client_tools": [PAGE]}, result("no such page", status="error", client_tools=[PAGE])],
    ),
]

CALLS = [
    Row(
        "2 several calls are run when parallel calls are on, and returned as one message in their order",
        [together(("echo", {"text": "a"}), ("add", {"a": 1, "b": 2}), ("echo", {"text": "b"}), text="All."), "Done."],
        [
            "says All.",
            'calls echo {"text": "a"} & add {"a": 1, "b": 2} & echo {"text": "b"}',
            "returns a & returns 3 & returns b",
            "says Done.",
            "= end_turn",
        ],
        tools=["echo", "add"],
        agent=PARALLEL,
        seen=lambda requests: requests[0].parallel_tool_calls,
    ),
    Row(
        "2 one of several calls fails alone",
        [together(("broken", {}), ("echo", {"text": "b"})), "Done."],
        ["calls broken…", "fails …no luck… & returns b", "says Done.", "= end_turn"],
        tools=["echo", "broken"],
        agent=PARALLEL,
    ),
    Row(
        "2 of several calls the first is kept when parallel calls are off",
        [together(("echo", {"text": "a"}), ("echo", {"text": "b"})), "Done."],
        ['calls echo {"text": "a"}', "returns a", "says Done.", "= end_turn"],
        tools=["echo"],
        seen=lambda requests: not requests[0].parallel_tool_calls,
    ),
    Row(
        "2 of several calls the first is kept when a rule orders them",
        [together(("echo", {"text": "a"}), ("echo", {"text": "b"})), "Done."],
        ['calls echo {"text": "a"}', "returns a", "says Done.", "= end_turn"],
        tools=["echo"],
        rules=[rule("max_count_per_step", "echo", max_count_limit=5)],
        agent=PARALLEL,
    ),
    Row(
        "2 an unknown tool is answered with an error",
        [calling("fly", to="Mars"), "I cannot."],
        ["calls fly…", "fails Tool not found…", "says I cannot.", "= end_turn"],
        tools=["echo"],
    ),
    Row(
        "2 a custom tool that raises is answered with the error",
        [calling("broken"), "Pity."],
        ["calls broken {}", "fails Error executing function broken: ValueError: no luck…", "says Pity.", "= end_turn"],
        tools=["broken"],
    ),
    Row(
        "2 a builtin tool that fails is answered with the error",
        [calling("core_memory_append", label="nobody", content="x"), "Pity."],
        ["calls …", "fails Error executing function core_memory_append: …nobody…human…", "says Pity.", "= end_turn"],
        tools=["core_memory_append"],
    ),
    Row(
        "2 an error has at most 1000 characters",
        [calling("verbose"), lambda request: str(len(request.messages[-1].text) < 1200)],
        ["calls verbose {}", "fails Error executing function verbose: ValueError: xxx…", "says True", "= end_turn"],
        tools=["verbose"],
    ),
    Row(
        "2 arguments that are no JSON are none",
        [raw("facts", '{"city": '), "Done."],
        ['calls facts {"city": ', 'returns {"city": "Lisbon", "hills": 7}', "says Done.", "= end_turn"],
        tools=["facts"],
    ),
    Row(
        "2 a call without an argument that it needs fails",
        [raw("add", '{"a": 1'), "Pity."],
        ["calls add…", "fails Error executing function add: …", "says Pity.", "= end_turn"],
        tools=["add"],
    ),
    Row(
        "2 of two objects of arguments the first counts",
        [raw("add", '{"a": 1, "b": 2}{"a": 5, "b": 5}'), "Done."],
        ["calls add…", "returns 3", "says Done.", "= end_turn"],
        tools=["add"],
    ),
    Row(
        "2 nothing is returned as None",
        [calling("nothing"), "Done."],
        ["calls nothing {}", "returns None", "says Done.", "= end_turn"],
        tools=["nothing"],
        seen=lambda requests: '"message": "None"' in requests[1].messages[-1].text,
    ),
    Row(
        "2 a dict stays an object",
        [calling("facts"), "Done."],
        ["calls facts {}", 'returns {"city": "Lisbon", "hills": 7}', "says Done.", "= end_turn"],
        tools=["facts"],
        seen=lambda requests: '"message": {"city": "Lisbon", "hills": 7}' in requests[1].messages[-1].text,
    ),
    Row(
        "2 a number is returned as text",
        [calling("number"), "Done."],
        ["calls number {}", "returns 3.5", "says Done.", "= end_turn"],
        tools=["number"],
        seen=lambda requests: '"message": "3.5"' in requests[1].messages[-1].text,
    ),
    Row(
        "2 a return over the tool's limit is cut, with both lengths",
        [calling("long"), "Done."],
        ["calls long {}", "returns xxxxxxxxxx…60…10…", "says Done.", "= end_turn"],
        tools=["long"],
        seen=lambda requests: "x" * 11 not in requests[1].messages[-1].text,
    ),
]

HEARTBEATS = [
    Row(
        "2 with a heartbeat the turn goes on, and the agent is told why",
        [calling("echo", "Hm.", text="a", request_heartbeat=True), calling("send_message", "So.", message="Hello.")],
        ["thinks Hm.", "calls echo…", "returns a", "heartbeat [Automatic…", "thinks So.", "says Hello.", "= end_turn"],
        tools=["send_message", "echo"],
        agent=MEMGPT,
        seen=lambda requests: (
            "request_heartbeat" in schema(requests[0], "echo")["required"]
            and "request_heartbeat" not in schema(requests[0], "send_message")["properties"]
        ),
    ),
    Row(
        "2 without a heartbeat the turn ends after the tool",
        [calling("echo", "Hm.", text="a", request_heartbeat=False)],
        ["thinks Hm.", "calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        agent=MEMGPT,
    ),
    Row(
        "2 a heartbeat that is left out is none",
        [calling("echo", text="a")],
        ["calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        agent=MEMGPT,
    ),
    Row(
        "2 a rule that lets the turn go on needs no heartbeat",
        [calling("echo", text="a"), calling("send_message", message="Hello.")],
        ["calls echo…", "returns a", "heartbeat …", "says Hello.", "= end_turn"],
        tools=["send_message", "echo"],
        rules=[rule("continue_loop", "echo")],
        agent=MEMGPT,
    ),
    Row(
        "2 a call that a rule forbids is followed by a heartbeat",
        [calling("send_message", message="Hello."), calling("echo", text="a")],
        ["says Hello.", "heartbeat …", "calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo", "nothing"],
        rules=[rule("run_first", "echo")],
        agent=MEMGPT,
    ),
    Row(
        "2 after a tool that failed the agent is called again",
        [calling("broken"), calling("send_message", message="Pity.")],
        ["calls broken…", "fails …no luck…", "heartbeat …failed…", "says Pity.", "= end_turn"],
        tools=["send_message", "broken"],
        agent=MEMGPT,
    ),
    Row(
        "2 required_before_exit keeps a heartbeat kind from ending",
        [calling("send_message", message="Hello."), calling("echo", text="a")],
        ["says Hello.", "heartbeat …echo…", "calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        rules=[rule("required_before_exit", "echo"), rule("exit_loop", "send_message")],
        agent=MEMGPT,
    ),
    Row(
        "2 a tool that ends the turn ends it with tool_rule when a heartbeat was asked for",
        [calling("echo", text="a", request_heartbeat=True)],
        ["calls echo…", "returns a", "= tool_rule"],
        tools=["send_message", "echo"],
        rules=[rule("exit_loop", "echo")],
        agent=MEMGPT,
    ),
    Row(
        "2 a tool that ends the turn ends it with end_turn without a heartbeat",
        [calling("echo", text="a")],
        ["calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        rules=[rule("exit_loop", "echo")],
        agent=MEMGPT,
    ),
    Row(
        "2 an answer without a call is an error of the kinds that speak by a tool",
        ["I just talk."],
        ["thinks I just talk.", "= no_tool_call"],
        tools=["send_message"],
        agent=MEMGPT,
        seen=lambda requests: requests[0].tool_choice in ("required", "send_message"),
    ),
    Row(
        "2 an empty answer is an error of those kinds as well",
        [""],
        ["= no_tool_call 500"],
        tools=["send_message"],
        agent=MEMGPT,
    ),
    Row(
        "2 after an unknown tool the agent is called again",
        [calling("fly"), calling("send_message", message="Pity.")],
        ["calls fly {}", "fails Tool not found…", "heartbeat …", "says Pity.", "= end_turn"],
        tools=["send_message"],
        agent=MEMGPT,
    ),
    Row(
        "2 heartbeats end where the steps do",
        [calling("echo", text="a", request_heartbeat=True)] * 2,
        ["calls echo…", "returns a", "heartbeat …", "calls echo…", "returns a", "= max_steps"],
        sends=[{"input": "Go", "max_steps": 2}],
        tools=["send_message", "echo"],
        agent=MEMGPT,
    ),
    Row(
        "2 an answer without a call does not end a turn that lacks a required tool",
        ["I just talk.", calling("echo", text="a")],
        ["thinks I just talk.", "heartbeat …echo…", "calls echo…", "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        rules=[rule("required_before_exit", "echo")],
        agent=MEMGPT,
    ),
    Row(
        "3 send_message is a call like any other of an agent that speaks by text",
        [calling("send_message", message="Hello."), "Done."],
        ["calls send_message…", "returns Sent message successfully.", "says Done.", "= end_turn"],
        tools=["send_message"],
    ),
    Row(
        "3 send_message is shown as what was said, and its return is not",
        [calling("send_message", "They greeted me.", message="Hello, Ada. How are you today?")],
        ["thinks They greeted me.", "says Hello, Ada. How are you today?", "= end_turn"],
        tools=["send_message"],
        agent=MEMGPT,
    ),
    Row(
        "3 send_message is a call like any other for a caller who wants it so",
        [calling("send_message", message="Hello.")],
        ['calls send_message {"message": "Hello."}', "returns Sent message successfully.", "= end_turn"],
        sends=[{"input": "Go", "use_assistant_message": False}],
        tools=["send_message"],
        agent=MEMGPT,
    ),
    Row(
        "3 another tool may be the one that speaks",
        [calling("echo", text="Hello, Ada.")],
        ["says Hello, Ada.", "= end_turn"],
        sends=[{"input": "Go", "assistant_message_tool_name": "echo", "assistant_message_tool_kwarg": "text"}],
        tools=["echo"],
        agent=MEMGPT,
    ),
    Row(
        "2 thoughts may be the first argument of each tool; they are shown as thoughts",
        [calling("echo", thinking="A long thought about echoes.", text="a", request_heartbeat=False)],
        ["thinks A long thought about echoes.", 'calls echo {"text": "a", …}', "returns a", "= end_turn"],
        tools=["send_message", "echo"],
        agent=MEMGPT | {"model_settings": {"provider_type": "openai", "put_inner_thoughts_in_kwargs": True}},
        seen=lambda requests: (
            next(iter(schema(requests[0], "echo")["properties"])) == "thinking"
            and "thinking" in schema(requests[0], "echo")["required"]
        ),
    ),
    Row(
        "2 thoughts beside what is said in arguments",
        [calling("send_message", thinking="She is friendly.", message="Hello, Ada. How are you?")],
        ["thinks She is friendly.", "says Hello, Ada. How are you?", "= end_turn"],
        tools=["send_message"],
        agent=MEMGPT | {"model_settings": {"provider_type": "openai", "put_inner_thoughts_in_kwargs": True}},
    ),
    Row(
        "1 a kind of agent that reasons by itself tells both thoughts",
        [calling("send_message", "Aloud.", "Deep inside.", message="Hello.")],
        ["thinks Deep inside.", "thinks Aloud.", "says Hello.", "= end_turn"],
        tools=["send_message"],
        agent={"agent_type": "memgpt_v2_agent"},
    ),
]

KINDS = [
    Row(
        "1 an agent has the tools of its kind",
        ["Done."],
        ["says Done.", "= end_turn"],
        agent={"include_base_tools": True},
        seen=lambda requests: offered(requests[0]) == {"conversation_search", "memory_replace", "memory_insert"},
    ),
    Row(
        "1 rules for the tools of its kind let an agent go on after memory and end after speaking",
        [
            calling("core_memory_append", label="human", content="She sails."),
            calling("send_message", message="Noted.", request_heartbeat=True),
        ],
        ["calls …", "returns …She sails.", "heartbeat …", "says Noted.", "= tool_rule"],
        agent=MEMGPT | {"include_base_tools": True, "include_base_tool_rules": None},
    ),
    Row(
        "1 an agent whose memory another one tends has no tools to edit it",
        ["Done."],
        ["says Done.", "= end_turn"],
        agent={"include_base_tools": True, "enable_sleeptime": True},
        seen=lambda requests: offered(requests[0]) == {"conversation_search", "archival_memory_search"},
    ),
    Row(
        "4 the prompt shows the blocks in place of {CORE_MEMORY}, then what is known of memory",
        ["Done."],
        ["says Done.", "= end_turn"],
        agent={"system": "You are Mia. {CORE_MEMORY} Be brief.", **block("Her name is Ada.", read_only=True, limit=90)},
        seen=lambda requests: in_order(
            requests[0].system,
            *("You are Mia. <memory_blocks>", "<human>", "- read_only=true", "- chars_current=16", "- chars_limit=90"),
            *("<value>", "Her name is Ada.", "</human>", "</memory_blocks>", "<memory_metadata>", "- AGENT_ID: agent-"),
            *("- CONVERSATION_ID: default", "- System prompt last recompiled: ", "Be brief."),
        ),
    ),
    Row(
        "4 the blocks stand after a prompt that names no place for them",
        ["Done."],
        ["says Done.", "= end_turn"],
        agent={"system": "You are Mia."},
        seen=lambda requests: requests[0].system.startswith("You are Mia.\n\n<memory_blocks>"),
    ),
    Row(
        "1 an agent with heartbeats opens with a greeting and a login",
        [calling("send_message", message="Hello.")],
        ["says Hello.", "= end_turn"],
        tools=["send_message"],
        agent=MEMGPT | {"initial_message_sequence": None},
        seen=lambda requests: (
            [message.role for message in requests[0].messages] == ["assistant", "tool", "user", "user"]
            and '"type": "login"' in requests[0].messages[2].text
        ),
    ),
    Row(
        "1 kinds without memory show no blocks",
        ["Done."],
        ["says Done.", "= end_turn"],
        agent={"agent_type": "react_agent"},
        seen=lambda requests: "Her name is Ada." not in requests[0].system,
    ),
    Row(
        "1 a workflow agent begins each request with the system message alone",
        ["One.", "Two."],
        ["says One.", "= end_turn", "says Two.", "= end_turn"],
        sends=["Go", "On"],
        agent={"agent_type": "workflow_agent"},
        seen=lambda requests: len(requests[1].messages) == 1,
    ),
    Row(
        "1 memory_finish_edits ends the turn of an agent that tends memory",
        [calling("memory_rethink", label="human", new_memory="Ada sails."), calling("memory_finish_edits")],
        ["calls memory_rethink…", "returns Ada sails.", "calls memory_finish_edits {}", "returns None", "= tool_rule"],
        agent={"agent_type": "sleeptime_agent", "include_base_tools": True},
        blocks={"human": "Ada sails."},
    ),
]

REQUESTS = [
    Row(
        "2 message_buffer_autoclear begins each request with the system message alone",
        ["One.", "Two."],
        ["says One.", "= end_turn", "says Two.", "= end_turn"],
        sends=["Go", "On"],
        agent={"message_buffer_autoclear": True},
        seen=lambda requests: [message.text for message in requests[1].messages] == ["On"],
    ),
    Row(
        "9 override_model answers one request",
        ["Mine."],
        ["thinks …", "says …", "= end_turn", "says Mine.", "= end_turn"],
        sends=[{"input": "hello", "override_model": "offline/rules"}, "On"],
        seen=lambda requests: len(requests) == 1,
    ),
    Row(
        "2 override_system replaces the prompt of one request",
        ["Arr.", "Yes."],
        ["says Arr.", "= end_turn", "says Yes.", "= end_turn"],
        sends=[{"input": "Go", "override_system": "You are a pirate."}, "On"],
        seen=lambda requests: requests[0].system == "You are a pirate." and "Her name is Ada." in requests[1].system,
    ),
    Row(
        "2 a picture reaches the model beside its words",
        ["A pixel."],
        ["says A pixel.", "= end_turn"],
        sends=[{"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]}],
        seen=lambda requests: (
            [part.data for part in requests[0].messages[0].parts if isinstance(part, Image)] == [PIXEL]
            and requests[0].messages[0].text == "What is this?"
        ),
    ),
    Row(
        "2 messages of every role reach the model",
        [lambda request: " ".join(message.role for message in request.messages)],
        ["says system assistant user", "= end_turn"],
        sends=[
            {"messages": [{"role": role, "content": role.title()} for role in ("system", "assistant", "user")]},
        ],
    ),
    Row(
        "2 a structured answer is asked for and given as it is",
        ['{"city": "Lisbon"}'],
        ['says {"city": "Lisbon"}', "= end_turn"],
        agent={"response_format": {"type": "json_object"}},
        seen=lambda requests: requests[0].response_format == {"type": "json_object"},
    ),
    Row(
        "2 a structured answer of a kind that speaks by a tool is that tool's argument",
        [calling("send_message", message={"city": "Lisbon"})],
        ['says {"city": "Lisbon"}', "= end_turn"],
        tools=["send_message"],
        agent=MEMGPT | {"response_format": {"type": "json_object"}},
        seen=lambda requests: schema(requests[0], "send_message")["properties"]["message"]["type"] == "object",
    ),
    Row(
        "2 a caller may choose the kinds of messages",
        [calling("add", "I add.", "Hm.", a=1, b=2), "3."],
        ["returns 3", "= end_turn"],
        sends=[{"input": "Go", "include_return_message_types": ["tool_return_message"]}],
        tools=["add"],
    ),
]

MEMORY = [
    edit("core_memory_append", "3 core_memory_append adds a line", "returns a\nb", "a", "a\nb", label="human", content="b"),
    edit("core_memory_replace", "3 core_memory_replace replaces all", "returns b b", "a a", "b b",
         label="human", old_content="a", new_content="b"),
    edit("core_memory_replace", "3 core_memory_replace deletes with an empty text", "returns b", "a b", "b",
         label="human", old_content="a ", new_content=""),
    edit("core_memory_replace", "3 core_memory_replace needs the text to stand there", "fails …not found…", "a", "a",
         label="human", old_content="z", new_content="b"),
    edit("core_memory_append", "3 a label that is none lists those that are", "fails …'person'…human…", "a", "a",
         label="person", content="b"),
    edit("core_memory_append", "5 a read-only block is not edited", "fails …read-only…", "a", "a",
         {"read_only": True}, label="human", content="b"),
    edit("core_memory_append", "5 a block takes no more than its limit",
         "fails …Exceeds 5 character limit (requested 8)…", "a", "a", {"limit": 5}, label="human", content="bbbbbb"),
    edit("memory_replace", "3 memory_replace replaces the one occurrence", "returns a c", "a b", "a c",
         label="human", old_string="b", new_string="c"),
    edit("memory_replace", "3 memory_replace refuses a text that is not there", "fails …not found…", "a b", "a b",
         label="human", old_string="z", new_string="c"),
    edit("memory_replace", "3 memory_replace refuses several occurrences and names their lines",
         "fails …2 times…lines 1, 3…", "a\nb\na", "a\nb\na", label="human", old_string="a", new_string="c"),
    edit("memory_replace", "3 memory_replace refuses line numbers", "fails …line numbers…", "a b", "a b",
         label="human", old_string="1→ a", new_string="c"),
    edit("memory_replace", "5 memory_replace refuses a read-only block", "fails …read-only…", "a", "a",
         {"read_only": True}, label="human", old_string="a", new_string="c"),
    edit("memory_insert", "3 memory_insert adds at the end when no line is given", "returns a\nb", "a", "a\nb",
         label="human", new_string="b"),
    edit("memory_insert", "3 memory_insert inserts at the top", "returns b\na", "a", "b\na",
         label="human", new_string="b", insert_line=0),
    edit("memory_insert", "3 memory_insert inserts after a line", "returns a\nb\nc", "a\nc", "a\nb\nc",
         label="human", new_string="b", insert_line=1),
    edit("memory_insert", "3 memory_insert refuses a line that is not there", "fails …no line 9…", "a", "a",
         label="human", new_string="b", insert_line=9),
    edit("memory_insert", "3 memory_insert refuses line numbers", "fails …line numbers…", "a", "a",
         label="human", new_string="1→ b"),
    edit("memory_insert", "3 memory_insert takes no line that is no number", "fails Error executing function memory_insert: …",
         "a", "a", label="human", new_string="b", insert_line="top"),
    edit("memory_replace", "3 memory_replace keeps to one block", "fails Error executing function memory_replace: …",
         "a", "a", label="human", old_string="a", new_string="b", block="persona"),
    edit("memory_rethink", "3 memory_rethink rewrites the block", "returns b", "a\nc", "b",
         label="human", new_memory="b"),
    edit("memory_rethink", "3 memory_rethink refuses a block that is not there", "fails …human…", "a", "a",
         label="person", new_memory="b"),
    edit("memory_rethink", "3 memory_rethink refuses line numbers", "fails …line numbers…", "a", "a",
         label="human", new_memory="1→ b"),
    edit("memory", "3 memory str_replace gives the new value", "returns a c", "a b", "a c",
         command="str_replace", path="/memories/human", old_string="b", new_string="c"),
    edit("memory", "3 memory insert gives the new value", "returns b\na", "a", "b\na",
         command="insert", path="/memories/human", insert_text="b", insert_line=0),
    edit("memory", "3 memory refuses a command that is none", "fails …fly…", "a", "a", command="fly", path="/memories/human"),
    edit("memory_apply_patch", "3 memory_apply_patch patches one block", "returns a\nc\nd", "a\nb", "a\nc\nd",
         label="human", patch="@@\n a\n-b\n+c\n@@\n+d"),
    edit("memory_apply_patch", "3 memory_apply_patch needs its context once", "fails …exactly once…", "a\na", "a\na",
         label="human", patch="-a\n+b"),
    Row(
        "3 memory creates, renames, describes and deletes blocks",
        [
            calling("memory", command="create", path="/memories/plans", description="What is planned.", file_text="Sail."),
            calling("memory", command="rename", old_path="/memories/plans", new_path="/memories/dreams"),
            calling("memory", command="rename", path="/memories/dreams", description="What is dreamt of."),
            calling("memory", command="delete", path="/memories/human"),
            "Done.",
        ],
        [*["calls memory…", "returns …"] * 4, "says Done.", "= end_turn"],
        tools=["memory"],
        blocks={"dreams": "Sail.", "human": None, "plans": None},
        seen=lambda requests: "<dreams>" in requests[4].system and "What is dreamt of." in requests[4].system,
    ),
    Row(
        "3 memory_apply_patch adds, updates, moves and deletes blocks",
        [
            calling(
                "memory_apply_patch",
                label="human",
                patch="*** Add Block: plans\nDescription: What is planned.\n+Sail.\n"
                "*** Update Block: human\n-Ada\n+Bea\n*** Move to: person\n*** Delete Block: old",
            ),
            "Done.",
        ],
        ["calls …", "returns …", "says Done.", "= end_turn"],
        tools=["memory_apply_patch"],
        agent={"memory_blocks": [{"label": "human", "value": "Ada"}, {"label": "old", "value": "x"}]},
        blocks={"plans": "Sail.", "person": "Bea", "human": None, "old": None},
    ),
    Row(
        "3 conversation_search finds what was said before",
        ["Noted.", calling("conversation_search", query="cat", roles=["user"]), "Fig."],
        ["says Noted.", "= end_turn", "calls …", "returns …Showing 1 results:…My cat is called Fig.…", "says Fig.", "= end_turn"],
        sends=["My cat is called Fig.", "What is it called?"],
        tools=["conversation_search"],
    ),
    Row(
        "3 conversation_search says that nothing was found",
        [calling("conversation_search", query="cat", end_date="2020-01-01"), "No."],
        ["calls …", 'returns {"message": "No results found.", "results": []}', "says No.", "= end_turn"],
        tools=["conversation_search"],
    ),
    Row(
        "3 archival_memory_insert returns nothing, and archival_memory_search finds it by its tag",
        [
            calling("archival_memory_insert", content="Ada sails a boat.", tags=["hobby"]),
            calling("archival_memory_insert", content="Ada eats a boat of rice.", tags=["food"]),
            calling("archival_memory_search", query="boat", tags=["hobby"]),
            lambda request: str("eats" in request.messages[-1].text),
        ],
        ["calls …", "returns None", "calls …", "returns None", "calls …", "returns …Ada sails a boat.…", "says False", "= end_turn"],
        tools=["archival_memory_insert", "archival_memory_search"],
    ),
    Row(
        "3 archival_memory_search finds nothing in an empty archive",
        [calling("archival_memory_search", query="boat"), "No."],
        ["calls …", "returns []", "says No.", "= end_turn"],
        tools=["archival_memory_search"],
    ),
    Row(
        "3 several edits of one block in one answer follow each other",
        [
            together(
                ("core_memory_append", {"label": "human", "content": "b"}),
                ("memory_replace", {"label": "human", "old_string": "b", "new_string": "c"}),
            ),
            "Done.",
        ],
        ["calls …", "returns a\nb & returns a\nc", "says Done.", "= end_turn"],
        tools=["core_memory_append", "memory_replace"],
        agent=PARALLEL | block("a"),
        blocks={"human": "a\nc"},
    ),
    Row(
        "4 the next step sees what was written to memory",
        [calling("core_memory_append", label="human", content="She likes tea."), "Done."],
        ["calls …", "returns …She likes tea.", "says Done.", "= end_turn"],
        tools=["core_memory_append"],
        seen=lambda requests: "She likes tea." in requests[1].system,
    ),
]  # fmt: skip

COMPACTING = [
    Row(
        "6 a window that is nearly full is compacted before the model is asked; told as event and summary to who asks",
        ["Done."],
        ["compaction threshold", f"summary …{SUMMARY}…", "says Done.", "= end_turn"],
        sends=[{"input": "Go", **COMPACTIONS}],
        agent=FULL,
        seen=lambda requests: any(SUMMARY in message.text for message in requests[0].messages),
    ),
    Row(
        "6 a compaction is a packed message for others",
        ["Done."],
        [f"system_alert The following is a summary of the previous messages:…{SUMMARY}…", "says Done.", "= end_turn"],
        agent=FULL,
    ),
    Row(
        "6 a request that the provider finds too long is compacted and made again",
        [Answer(error=ContextWindowExceeded("Too long.")), "Done."],
        ["compaction context_window_exceeded", f"summary …{SUMMARY}…", "says Done.", "= end_turn"],
        sends=[{"input": "Go", **COMPACTIONS}],
        agent=ROOMY,
        seen=lambda requests: len(requests[1].messages) < len(requests[0].messages),
    ),
    Row(
        "6 a compaction in the middle of a turn keeps the call and its return together",
        [calling("echo", text="a"), Answer(error=ContextWindowExceeded("Too long.")), "Done."],
        ["calls echo…", "returns a", "compaction …", "summary …", "says Done.", "= end_turn"],
        sends=[{"input": "Go", **COMPACTIONS}],
        tools=["echo"],
        agent=ROOMY,
        seen=lambda requests: (
            [message.role for message in requests[2].messages].count("tool")
            == sum(len(message.tool_calls) for message in requests[2].messages)
        ),
    ),
]

FAILURES = [
    Row(
        f"2 {type(error).__name__} ends the run with {told}",
        [Answer(error=error)],
        [f"= {told}"],
    )
    for error, told in [
        (ModelRateLimited("Too many."), "llm_api_error 429"),
        (ModelAuthenticationError("No key."), "llm_api_error 401"),
        (ModelInsufficientCredits("No money."), "insufficient_credits 402"),
        (ModelTimeout("Too slow."), "llm_api_error 504"),
        (InvalidModelResponse("Gibberish."), "invalid_llm_response 500"),
        (ContextWindowExceeded("Too long."), "llm_api_error 400"),
    ]
] + [
    Row(
        "6 a prompt that is longer than the window ends with context_window_overflow_in_system_prompt",
        [Answer(error=ContextWindowExceeded("Too long."))],
        ["= context_window_overflow_in_system_prompt 400"],
        agent={"system": FILLER * 6, "context_window_limit": 4000},
    ),
    Row(
        "2 a failure later in the turn keeps what was done before it",
        [calling("add", a=1, b=2), Answer(error=ModelRateLimited("Too many."))],
        ["calls add…", "returns 3", "= llm_api_error 429"],
        tools=["add"],
    ),
    Row(
        "2 a first step that failed leaves no trace in the context",
        [Answer(error=ModelRateLimited("Too many.")), lambda request: " ".join(m.text for m in request.messages)],
        ["= llm_api_error 429", "says On", "= end_turn"],
        sends=["Go", "On"],
    ),
    Row(
        "2 a cancelled run ends with cancelled",
        [Answer("Never.", delay_s=30)],
        ["= cancelled"],
        meanwhile=cancel,
    ),
]

TABLE: Sequence[Row] = [
    *CONTINUING,
    *RULES,
    *APPROVALS,
    *CALLS,
    *HEARTBEATS,
    *KINDS,
    *REQUESTS,
    *MEMORY,
    *COMPACTING,
    *FAILURES,
]

# --- playing it ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database is emptied after all rows, not after each: every row has agents of its own."""
    with django_db_blocker.unblock():
        yield
        TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def database(transactional_db: None, pool: None) -> AsyncIterator[None]:
    """The tools of the rows, and a worker."""
    from asgiref.sync import sync_to_async

    from agents_core.actions.tools import ensure_builtin_tools

    await sync_to_async(ensure_builtin_tools)()
    api = Api()
    for signature, body in TOOLS.items():
        more = EXTRAS.get(signature.partition("(")[0], {})
        await api.post("/tools/", {"source_code": source(signature, body), **more})
    async with everything_closed(), worker_beside():
        yield


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
async def test_row(row: Row) -> None:
    played = await asyncio.gather(*(play(row, way) for way in WAYS))
    first, *others = played
    told = list(lines(first.told))
    assert len(told) == len(row.told), told
    for expected, line in zip(row.told, told, strict=True):
        assert fits(expected, line), f"expected {expected!r}, got {line!r}"
    for way, other in zip(WAYS[1:], others, strict=True):
        assert lasting(other.told) == lasting(first.told), way.__name__
    for each in played:
        assert {label: each.blocks.get(label) for label in row.blocks} == row.blocks
        assert each.unlisted == set()
        assert row.seen is None or row.seen(each.requests)
        assert [(reason, status == "failed") for status, reason in each.run_reasons] == [
            (one.stop_reason.split()[0], one.failed) for one in each.told
        ]
