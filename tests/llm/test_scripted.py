"""The scripted model: what a test writes is what the loop gets."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents_core.llm.base import PROVIDERS, Endpoint
from agents_core.llm.errors import ModelBadRequest, ModelNotFound, ModelRateLimited
from agents_core.llm.providers.scripted import Answer, ScriptedProvider, script
from agents_core.llm.types import (
    ChatMessage,
    Finished,
    ModelRequest,
    ReasoningDelta,
    Sent,
    StreamItem,
    Text,
    TextDelta,
    ToolCallDelta,
    ToolSpec,
    Usage,
)

HELLO = ModelRequest(
    model="greeter",
    system="You are kind.",
    messages=(ChatMessage("user", (Text("hello"),)),),
    tools=(ToolSpec("roll_dice", "Roll.", {"type": "object", "properties": {}}),),
)


def provider(base_url: str | None = None) -> ScriptedProvider:
    return ScriptedProvider(Endpoint(base_url=base_url))


async def collected(stream: AsyncIterator[StreamItem]) -> list[StreamItem]:
    return [item async for item in stream]


async def finished(one: ScriptedProvider, request: ModelRequest = HELLO) -> Finished:
    last = (await collected(one.stream(request)))[-1]
    assert isinstance(last, Finished)
    return last


def written(tmp_path: Path, value: Any) -> str:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(value))
    return file.as_uri()


async def test_the_answers_come_one_a_request_in_order() -> None:
    recorded = script("greeter", ["one", "two", lambda request: request.messages[-1].text.upper()])
    model = provider()
    assert [(await finished(model)).message.text for _ in range(3)] == ["one", "two", "HELLO"]
    assert recorded.requests == [HELLO] * 3


async def test_a_stream_is_sent_then_pieces_then_one_finished_that_joins_them() -> None:
    text = "A sentence that is long enough for several pieces."
    script(
        "greeter", [Answer(text, [("roll_dice", {"sides": 6})], reasoning="Because a die was asked for, and so on.")]
    )
    items = await collected(provider().stream(HELLO))
    assert isinstance(items[0], Sent)
    assert [type(item) for item in items].count(Finished) == 1
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == text
    assert sum(isinstance(item, TextDelta) for item in items) > 1
    assert sum(isinstance(item, ReasoningDelta) for item in items) > 1
    assert "".join(item.arguments for item in items if isinstance(item, ToolCallDelta)) == '{"sides": 6}'
    last = items[-1]
    assert isinstance(last, Finished)
    assert (last.message.text, last.finish_reason) == (text, "tool_calls")
    assert json.loads(last.body)["choices"][0]["message"]["content"] == text


async def test_the_layout_leads_to_each_part_of_the_request() -> None:
    script("greeter", ["ok"])
    first = (await collected(provider().stream(HELLO)))[0]
    assert isinstance(first, Sent)
    body = json.loads(first.body)
    for placed in first.layout:
        value = body
        for step in placed.path:
            value = value[step]
        expected = {"system": HELLO.system, "tool": "roll_dice", "message": HELLO.messages[placed.index].text}
        assert expected[placed.source] in json.dumps(value)
    assert {placed.source for placed in first.layout} == {"system", "tool", "message"}


async def test_call_ids_go_on_from_those_of_the_conversation() -> None:
    script("greeter", [Answer(calls=[("a", {}), ("b", {})]), Answer(calls=[("c", {})])])
    model = provider()
    first = await finished(model)
    second = await finished(model, replace(HELLO, messages=(*HELLO.messages, first.message)))
    assert [call.id for call in (*first.message.tool_calls, *second.message.tool_calls)] == [
        "call_1",
        "call_2",
        "call_3",
    ]


async def test_arguments_given_as_text_go_out_malformed() -> None:
    script("greeter", [Answer(calls=[("roll_dice", '{"sides": ')])])
    assert (await finished(provider())).message.tool_calls[0].arguments == '{"sides": '


async def test_usage_is_the_given_one_or_an_estimate() -> None:
    given = Usage(input_tokens=7, output_tokens=3)
    script("greeter", [Answer("hi", usage=given), "hi"])
    model = provider()
    assert (await finished(model)).usage == given
    assert (await finished(model)).usage.input_tokens > 7


async def test_an_error_is_raised_once_and_the_script_goes_on() -> None:
    script("greeter", [Answer(error=ModelRateLimited("Slow down.", retry_after_s=0.1)), "hi"])
    model = provider()
    with pytest.raises(ModelRateLimited, match="Slow down"):
        await finished(model)
    assert (await finished(model)).message.text == "hi"


async def test_an_error_beside_text_cuts_the_stream_off() -> None:
    script("greeter", [Answer("half a sen", error=ModelRateLimited("Cut."))])
    stream = provider().stream(HELLO)
    await anext(stream)
    assert await anext(stream) == TextDelta("half a sen")
    with pytest.raises(ModelRateLimited):
        await anext(stream)


async def test_running_out_says_which_script_and_how_many_answers() -> None:
    script("greeter", ["only"])
    model = provider()
    await finished(model)
    with pytest.raises(ModelBadRequest, match=r"'greeter' has run out: it holds 1 answers and this is request 2"):
        await finished(model)


async def test_each_conversation_plays_the_script_from_its_beginning() -> None:
    script("greeter", ["one", "two"])
    model = provider()
    texts = []
    for agent in ("agent-1", "agent-2", "agent-1", "agent-2"):
        system = f"Hi.\n<memory_metadata>\n- AGENT_ID: {agent}\n- CONVERSATION_ID: default\n</memory_metadata>"
        texts.append((await finished(model, replace(HELLO, system=system))).message.text)
    assert texts == ["one", "one", "two", "two"]


async def test_an_unknown_script_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="'nobody'"):
        await finished(provider(), replace(HELLO, model="nobody"))


async def test_a_file_plays_on_in_another_process_and_an_unfinished_answer_comes_again(tmp_path: Path) -> None:
    url = written(tmp_path, ["one", {"text": "two", "reasoning": "r", "usage": {"input_tokens": 5}, "delay_s": 0.0}])
    await finished(provider(url))
    broken_off = provider(url).stream(HELLO)
    await anext(broken_off)
    await anext(broken_off)
    assert (await finished(provider(url))).message.text == "two"


async def test_a_file_may_hold_scripts_by_model_and_errors(tmp_path: Path) -> None:
    url = written(
        tmp_path,
        {
            "greeter": [{"calls": [["roll_dice", {"sides": 6}]]}],
            "b": [{"error": "ModelRateLimited", "message": "Wait."}],
        },
    )
    model = provider(url)
    assert (await finished(model)).message.tool_calls[0].name == "roll_dice"
    with pytest.raises(ModelRateLimited, match=r"Wait\."):
        await finished(model, replace(HELLO, model="b"))
    assert [info.name for info in await model.list_models()] == ["greeter", "b"]


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"greeter": "no list"},
        [3],
        [{"txt": "unknown field"}],
        [{"error": "NoSuchError"}],
        [{"message": "without a class"}],
        [{"calls": ["roll_dice"]}],
    ],
)
async def test_a_malformed_file_is_a_clear_refusal(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ModelBadRequest, match=r"script\.json"):
        await finished(provider(written(tmp_path, value)))


async def test_a_missing_file_is_named_by_the_check(tmp_path: Path) -> None:
    check = await provider((tmp_path / "absent.json").as_uri()).check()
    assert not check.ok
    assert "absent.json" in check.summary


def test_an_address_that_is_no_file_is_refused() -> None:
    with pytest.raises(ModelBadRequest, match="file:///"):
        provider("http://localhost:1")


def test_the_registry_knows_it() -> None:
    assert PROVIDERS.load("scripted") is ScriptedProvider
