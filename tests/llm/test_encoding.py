"""How requests look on each wire, where the formats differ or a server is known to refuse."""

import json
from dataclasses import replace
from typing import Any

import pytest

from agents_core.llm.providers import _chat, _messages, _responses
from agents_core.llm.types import ChatMessage, Image, ModelRequest, Reasoning, Text, ToolCall, ToolSpec

TOOL = ToolSpec("look", "Looks.", {"properties": {}})
IMAGE = Image("image/png", "aGk=")


def user(text: str) -> ChatMessage:
    return ChatMessage("user", (Text(text),))


def request(*messages: ChatMessage, **changes: Any) -> ModelRequest:
    return replace(ModelRequest("test-model", "Be brief.", messages or (user("Hi"),)), **changes)


def chat(asked: ModelRequest) -> Any:
    return json.loads(_chat.encode(asked).body)


def responses(asked: ModelRequest) -> Any:
    return json.loads(_responses.encode(asked).body)


def anthropic(asked: ModelRequest) -> Any:
    return json.loads(_messages.encode(asked).body)


BROKEN_CALL = ChatMessage("assistant", tool_calls=(ToolCall("call_1", "look", '{"at": "the'),))


# --- history that a provider would refuse ---------------------------------------------------------------------------


def test_malformed_arguments_are_sent_wrapped_in_an_object() -> None:
    wrapped = {"_malformed": '{"at": "the'}
    asked = request(user("Hi"), BROKEN_CALL)
    assert anthropic(asked)["messages"][1]["content"][0]["input"] == wrapped
    assert json.loads(chat(asked)["messages"][2]["tool_calls"][0]["function"]["arguments"]) == wrapped
    assert json.loads(responses(asked)["input"][1]["arguments"]) == wrapped


def test_well_formed_arguments_are_sent_as_the_model_wrote_them() -> None:
    asked = request(user("Hi"), ChatMessage("assistant", tool_calls=(ToolCall("call_1", "look", '{ "at":"é" }'),)))
    assert chat(asked)["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{ "at":"é" }'


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_anthropic_never_gets_blank_text(blank: str) -> None:
    asked = request(user(blank), ChatMessage("assistant", (Text(blank), Text("Yes"))), user("Go on"), system=blank)
    body = anthropic(asked)
    assert "system" not in body
    texts = [block["text"] for turn in body["messages"] for block in turn["content"]]
    assert all(text.strip() for text in texts)
    assert texts[-2:] == ["Yes", "Go on"]


def test_anthropic_gets_a_first_word_from_the_user() -> None:
    for messages in ((), (ChatMessage("assistant", (Text("Hello"),)),)):
        assert anthropic(replace(request(), messages=messages))["messages"][0]["role"] == "user"


def test_call_ids_of_another_provider_are_made_acceptable_and_stay_paired() -> None:
    odd = "functions.look:0/" + "x" * 60
    call = ChatMessage("assistant", tool_calls=(ToolCall(odd, "look", "{}"),))
    asked = request(user("Hi"), call, ChatMessage("tool", (Text("seen"),), tool_call_id=odd))
    ids = {
        chat(asked)["messages"][2]["tool_calls"][0]["id"],
        chat(asked)["messages"][3]["tool_call_id"],
        anthropic(asked)["messages"][1]["content"][0]["id"],
        anthropic(asked)["messages"][2]["content"][0]["tool_use_id"],
        responses(asked)["input"][1]["call_id"],
        responses(asked)["input"][2]["call_id"],
    }
    assert len(ids) == 1
    assert len(ids.pop()) <= 40


def test_an_acceptable_call_id_stays_as_it_is() -> None:
    assert chat(request(BROKEN_CALL))["messages"][1]["tool_calls"][0]["id"] == "call_1"


# --- thinking goes back to who thought it ----------------------------------------------------------------------------


def test_anthropic_gets_its_own_thinking_back_and_nobody_elses() -> None:
    thoughts = (
        Reasoning("mine", "c2ln"),
        Reasoning("", "sealed", redacted=True),
        Reasoning("unsigned"),
        Reasoning("openai's", '{"type":"reasoning","id":"rs_1"}'),
    )
    blocks = anthropic(request(user("Hi"), ChatMessage("assistant", (*thoughts, Text("Yes")))))["messages"][1][
        "content"
    ]
    assert blocks[:2] == [
        {"type": "thinking", "thinking": "mine", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "sealed"},
    ]
    assert [block["type"] for block in blocks] == ["thinking", "redacted_thinking", "text"]


def test_openai_gets_its_own_reasoning_item_back_whole_and_nobody_elses() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbGVk"}
    thoughts = (Reasoning("anthropic's", "c2ln"), Reasoning("mine", json.dumps(item)))
    items = responses(request(user("Hi"), ChatMessage("assistant", (*thoughts, Text("Yes")))))["input"]
    assert items[1:] == [item, {"type": "message", "role": "assistant", "content": "Yes"}]


def test_only_openais_reasoning_models_are_asked_for_encrypted_reasoning() -> None:
    assert responses(request(model="gpt-5-mini"))["include"] == ["reasoning.encrypted_content"]
    assert "include" not in responses(request(model="gpt-4o-mini"))


def test_chat_completions_get_no_thinking_back() -> None:
    message = chat(request(ChatMessage("assistant", (Reasoning("hm"), Text("Yes")))))["messages"][1]
    assert message == {"role": "assistant", "content": "Yes"}


# --- images ----------------------------------------------------------------------------------------------------------


def test_a_users_image() -> None:
    asked = request(ChatMessage("user", (Text("What is it?"), IMAGE)))
    url = "data:image/png;base64,aGk="
    assert chat(asked)["messages"][1]["content"][1] == {"type": "image_url", "image_url": {"url": url}}
    assert responses(asked)["input"][0]["content"][1] == {"type": "input_image", "image_url": url}
    source = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    block = anthropic(asked)["messages"][0]["content"][1]
    assert (block["type"], block["source"]) == ("image", source)


def test_a_tools_image_follows_the_last_result_on_chat_completions() -> None:
    calls = ChatMessage("assistant", tool_calls=(ToolCall("c1", "look", "{}"), ToolCall("c2", "look", "{}")))
    results = (
        ChatMessage("tool", (Text("seen"), IMAGE), tool_call_id="c1"),
        ChatMessage("tool", (Text("too"),), tool_call_id="c2"),
    )
    encoded = _chat.encode(request(user("Look"), calls, *results))
    messages = json.loads(encoded.body)["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert messages[3]["content"] == "seen"
    assert [placed.path for placed in encoded.layout if placed.index == 2] == [("messages", 3), ("messages", 5)]


def test_a_tools_image_stands_in_its_result_elsewhere() -> None:
    asked = request(user("Look"), ChatMessage("tool", (Text("seen"), IMAGE), tool_call_id="c1"))
    block = anthropic(asked)["messages"][0]["content"][1]
    assert [part["type"] for part in block["content"]] == ["text", "image"]
    assert [part["type"] for part in responses(asked)["input"][1]["output"]] == ["input_text", "input_image"]


# --- tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "chat_form", "responses_form", "anthropic_form"),
    [
        ("auto", "auto", "auto", {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", "required", "required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", "none", "none", {"type": "none"}),
        (
            "look",
            {"type": "function", "function": {"name": "look"}},
            {"type": "function", "name": "look"},
            {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice(choice: str, chat_form: Any, responses_form: Any, anthropic_form: Any) -> None:
    asked = request(tools=(TOOL,), tool_choice=choice)
    assert chat(asked)["tool_choice"] == chat_form
    assert responses(asked)["tool_choice"] == responses_form
    assert anthropic(asked)["tool_choice"] == anthropic_form


def test_without_tools_nothing_is_said_of_them() -> None:
    for body in (chat(request()), responses(request()), anthropic(request())):
        assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


def test_parallel_calls_are_allowed_when_asked_for() -> None:
    asked = request(tools=(TOOL,), parallel_tool_calls=True)
    assert chat(asked)["parallel_tool_calls"] is responses(asked)["parallel_tool_calls"] is True
    assert anthropic(asked)["tool_choice"] == {"type": "auto"}


def test_a_failed_tool_is_marked_for_anthropic() -> None:
    asked = request(user("Hi"), ChatMessage("tool", (Text("no"),), tool_call_id="c1", is_error=True))
    assert anthropic(asked)["messages"][0]["content"][1]["is_error"] is True


def test_consecutive_results_and_words_of_the_user_are_one_turn_for_anthropic() -> None:
    results = (ChatMessage("tool", (Text(str(i)),), tool_call_id=f"c{i}") for i in range(2))
    turns = anthropic(request(user("Hi"), BROKEN_CALL, *results, user("And?")))["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["type"] for block in turns[2]["content"]] == ["tool_result", "tool_result", "text"]


# --- options ---------------------------------------------------------------------------------------------------------


def test_anthropic_caches_up_to_the_last_tool_the_system_prompt_and_the_last_message() -> None:
    body = anthropic(request(user("One"), BROKEN_CALL, user("Two"), tools=(TOOL, replace(TOOL, name="second"))))
    mark = {"type": "ephemeral"}
    marked = [body["tools"][1], body["system"][0], body["messages"][-1]["content"][-1]]
    assert all(block["cache_control"] == mark for block in marked)
    assert json.dumps(body).count("cache_control") == 3


def test_the_cache_mark_is_outside_of_what_a_path_leads_to() -> None:
    """Else the last message would look rewritten at each step, when the mark moves on."""
    encoded = _messages.encode(request(user("Hi"), ChatMessage("tool", (Text("seen"),), tool_call_id="c1")))
    assert [placed.path[-1] for placed in encoded.layout if placed.source == "message"] == ["text", "content"]


def test_anthropics_output_limit_comes_from_the_catalog() -> None:
    assert anthropic(request(model="claude-3-haiku-20240307"))["max_tokens"] == 4_096
    assert anthropic(request(model="claude-opus-5-5"))["max_tokens"] == 32_000
    assert anthropic(request(model="claude-3-haiku-20240307", max_output_tokens=10))["max_tokens"] == 10


def test_anthropic_gets_no_temperature() -> None:
    assert "temperature" not in anthropic(request(temperature=0.5))


def test_openais_reasoning_models_get_no_temperature_and_their_own_name_of_the_limit() -> None:
    asked = request(model="o4-mini", temperature=0.5, max_output_tokens=9)
    assert "temperature" not in chat(asked)
    assert "temperature" not in responses(asked)
    assert (chat(asked).get("max_completion_tokens"), chat(asked).get("max_tokens")) == (9, None)


def test_other_models_get_the_temperature_and_the_limit() -> None:
    body = chat(request(temperature=0.5, max_output_tokens=9))
    assert (body["temperature"], body["max_tokens"]) == (0.5, 9)


def test_thinking_by_budget_leaves_room_for_the_answer() -> None:
    body = anthropic(request(model="claude-sonnet-4-5-20250929", reasoning_tokens=500, max_output_tokens=800))
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert body["max_tokens"] > 1024


def test_newer_claude_models_think_adaptively() -> None:
    body = anthropic(request(model="claude-opus-5-5", reasoning_effort="high"))
    assert body["thinking"]["type"] == "adaptive"
    assert body["output_config"] == {"effort": "high"}


def test_a_forced_tool_excludes_thinking() -> None:
    asked = request(model="claude-sonnet-4-5", reasoning_tokens=2000, tools=(TOOL,), tool_choice="look")
    assert "thinking" not in anthropic(asked)


def test_response_format() -> None:
    schema = {"type": "object", "properties": {}}
    asked = request(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert chat(asked)["response_format"] == asked.response_format
    assert responses(asked)["text"] == {"format": {"type": "json_schema", "name": "x", "schema": schema}}
    assert anthropic(asked)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


def test_nothing_is_stored_at_openai() -> None:
    assert responses(request())["store"] is False


def test_the_same_request_has_the_same_bytes() -> None:
    for module in (_chat, _responses, _messages):
        assert module.encode(request(user("Hi"), BROKEN_CALL)) == module.encode(request(user("Hi"), BROKEN_CALL))
