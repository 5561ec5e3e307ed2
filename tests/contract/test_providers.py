"""One contract for every provider that speaks to a server: the same script on the wire, the same items out of it."""

import asyncio
import gc
import json
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from agents_core.llm.base import Endpoint
from agents_core.llm.errors import (
    ContextWindowExceeded,
    InvalidModelResponse,
    ModelAuthenticationError,
    ModelBadRequest,
    ModelError,
    ModelInsufficientCredits,
    ModelNotFound,
    ModelRateLimited,
    ModelServerError,
    ModelTimeout,
    ModelUnreachable,
)
from agents_core.llm.providers._provider import WireProvider
from agents_core.llm.providers._responses import RESPONSES
from agents_core.llm.providers.anthropic import AnthropicProvider
from agents_core.llm.providers.openai import OpenAIProvider
from agents_core.llm.providers.openai_compatible import OpenAICompatibleProvider
from agents_core.llm.types import (
    ChatMessage,
    Finished,
    ModelRequest,
    Reasoning,
    ReasoningDelta,
    Retrying,
    Sent,
    StreamItem,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolSpec,
    Usage,
)
from tests.llm.fake_server import FakeModelServer, Reply, refuse
from tests.llm.fake_wires import chat_events, messages_events, responses_events

PROVIDERS: dict[str, Callable[[Endpoint], WireProvider]] = {
    "openai_compatible": OpenAICompatibleProvider,
    "openai": lambda endpoint: OpenAIProvider(endpoint, RESPONSES),
    "anthropic": AnthropicProvider,
}
EVENTS = {"openai_compatible": chat_events, "openai": responses_events, "anthropic": messages_events}

WEATHER = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
HELLO = ModelRequest(
    model="test-model",
    system="You are brief.",
    messages=(ChatMessage("user", (Text("Hello"),)),),
    tools=(WEATHER,),
)
SOON = {"retry-after-ms": "1"}


@pytest.fixture
def server() -> Iterator[FakeModelServer]:
    with FakeModelServer() as fake:
        yield fake


@pytest.fixture(params=list(PROVIDERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def provider(name: str, server: FakeModelServer) -> AsyncIterator[WireProvider]:
    connected = PROVIDERS[name](Endpoint("a-key", server.url, timeout_s=5))
    yield connected
    await connected.aclose()


async def collect(provider: WireProvider, request: ModelRequest = HELLO) -> list[StreamItem]:
    return [item async for item in provider.stream(request)]


async def fail(provider: WireProvider, request: ModelRequest = HELLO) -> tuple[list[StreamItem], ModelError]:
    """What came before the error, and the error."""
    items: list[StreamItem] = []
    try:
        async for item in provider.stream(request):
            items.append(item)  # noqa: PERF401 - what came before the error is wanted too.
    except ModelError as error:
        return items, error
    pytest.fail("no error came")


def finished(items: list[StreamItem]) -> Finished:
    assert isinstance(items[-1], Finished)
    return items[-1]


# --- what comes out ------------------------------------------------------------------------------------------------


async def test_one_script_gives_the_same_items_on_every_wire(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(
        Reply("Let me look.", reasoning="They ask.", calls=(("weather", '{"city": "Kyōto"}'),), cached_tokens=9)
    )

    sent, *deltas, end = await collect(provider)

    assert isinstance(sent, Sent)
    assert deltas == [
        ReasoningDelta("They"),
        ReasoningDelta(" ask."),
        TextDelta("Let"),
        TextDelta(" me"),
        TextDelta(" look."),
        ToolCallDelta(0, "call_0", "weather", ""),
        ToolCallDelta(0, arguments='{"city"'),
        ToolCallDelta(0, arguments=': "Kyōt'),
        ToolCallDelta(0, arguments='o"}'),
    ]
    assert isinstance(end, Finished)
    thought, said = end.message.parts
    assert isinstance(thought, Reasoning)
    assert (thought.text, said) == ("They ask.", Text("Let me look."))
    assert end.message.tool_calls == (ToolCall("call_0", "weather", '{"city": "Kyōto"}'),)
    assert end.finish_reason == "tool_calls"
    assert end.usage == Usage(len(sent.body) // 4, 8, cached_input_tokens=9, reasoning_tokens=2)
    assert end.request_id
    assert end.first_token_ms is not None
    assert end.first_token_ms <= end.duration_ms


async def test_several_calls_keep_their_order_and_ids(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply(calls=(("weather", '{"city":"A"}'), ("weather", '{"city":"B"}'))))
    end = finished(await collect(provider))
    assert [(call.id, call.arguments) for call in end.message.tool_calls] == [
        ("call_0", '{"city":"A"}'),
        ("call_1", '{"city":"B"}'),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
async def test_an_answer_may_arrive_in_pieces_of_any_size(
    provider: WireProvider, server: FakeModelServer, size: int
) -> None:
    server.push(Reply("Grüße 🌍 aus Kyōto", piece_bytes=size))
    assert finished(await collect(provider)).message.text == "Grüße 🌍 aus Kyōto"


@pytest.mark.parametrize("reason", ["length", "refused"])
async def test_an_answer_tells_why_it_ended(provider: WireProvider, server: FakeModelServer, reason: str) -> None:
    server.push(Reply("So", finish=reason))
    assert finished(await collect(provider)).finish_reason == reason


async def test_malformed_arguments_come_through_as_text(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply(calls=(("weather", '{"city": "A'),)))
    assert finished(await collect(provider)).message.tool_calls[0].arguments == '{"city": "A'


async def test_a_call_without_arguments_has_an_empty_object(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply(calls=(("weather", ""),)))
    assert finished(await collect(provider)).message.tool_calls[0].arguments == "{}"


async def test_a_server_may_leave_out_usage(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply("Hi", usage=False))
    assert finished(await collect(provider)).usage == Usage()


async def test_nothing_said_after_a_tool_result_is_an_answer(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply())
    call = ChatMessage("assistant", tool_calls=(ToolCall("call_0", "weather", "{}"),))
    result = ChatMessage("tool", (Text("sunny"),), tool_call_id="call_0")
    end = finished(await collect(provider, replace(HELLO, messages=(*HELLO.messages, call, result))))
    assert end.message == ChatMessage("assistant")


# --- what is recorded ----------------------------------------------------------------------------------------------


async def test_sent_is_byte_for_byte_what_the_server_received(provider: WireProvider, server: FakeModelServer) -> None:
    request = replace(HELLO, messages=(ChatMessage("user", (Text("Ünïcode\n🌍 \ud83d \u2028 end"),)),))
    sent = (await collect(provider, request))[0]
    assert isinstance(sent, Sent)
    received = server.requests[-1]
    assert sent.body == received.body
    assert sent.url == f"{server.origin}{received.path}"


async def test_finished_holds_the_response_byte_for_byte(
    name: str, provider: WireProvider, server: FakeModelServer
) -> None:
    reply = Reply("Grüße", calls=(("weather", "{}"),), piece_bytes=3)
    server.push(reply)
    end = finished(await collect(provider))
    assert end.body == b"".join(EVENTS[name](reply, len(server.requests[-1].body) // 4))


# --- what goes wrong -----------------------------------------------------------------------------------------------

REFUSALS: list[tuple[Reply, type[ModelError], str]] = [
    (refuse(401, "Incorrect API key provided"), ModelAuthenticationError, "key"),
    (refuse(403, "Your project may not use this model"), ModelAuthenticationError, "key"),
    (refuse(402, "Payment required"), ModelInsufficientCredits, "credit"),
    (refuse(429, "You exceeded your current quota", "insufficient_quota"), ModelInsufficientCredits, "credit"),
    (refuse(404, "The model `test-model` does not exist", "model_not_found"), ModelNotFound, "test-model"),
    (refuse(400, "max_tokens must be positive"), ModelBadRequest, "max_tokens must be positive"),
    (refuse(400, "prompt is too long: 210000 tokens > 200000 maximum"), ContextWindowExceeded, "compact"),
    (refuse(400, "too long", "context_length_exceeded"), ContextWindowExceeded, "compact"),
    (refuse(429, "slow down", **SOON), ModelRateLimited, "slow down"),
    (refuse(500, "oops", **SOON), ModelServerError, "oops"),
    (refuse(529, "overloaded", **SOON), ModelServerError, "overloaded"),
    (refuse(504, "upstream", **SOON), ModelTimeout, "upstream"),
    (replace(refuse(502, ""), body=b"<html>Bad gateway", headers=SOON), ModelServerError, "web page"),
]


@pytest.mark.parametrize(("reply", "kind", "word"), REFUSALS, ids=lambda value: getattr(value, "__name__", ""))
async def test_each_refusal_has_its_class_and_says_what_to_do(
    provider: WireProvider, server: FakeModelServer, reply: Reply, kind: type[ModelError], word: str
) -> None:
    server.default = lambda _: reply
    items, error = await fail(provider)
    assert type(error) is kind
    assert word in error.message
    assert error.advice
    assert error.status == reply.status
    assert error.response_body
    assert len(server.requests) == (3 if kind.transient else 1)
    assert [type(item) for item in items] == [Sent, *[Retrying] * (len(server.requests) - 1)]


BROKEN: dict[str, tuple[Reply, type[ModelError]]] = {
    "malformed JSON in an event": (
        Reply(body=b"data: {oops\n\n", content_type="text/event-stream"),
        InvalidModelResponse,
    ),
    "JSON of another shape": (Reply(body=b"data: [1, 2]\n\n", content_type="text/event-stream"), InvalidModelResponse),
    "no events at all": (Reply(body=b"what\never\n\n", content_type="text/event-stream"), InvalidModelResponse),
    "not UTF-8": (Reply(body=b'data: {"a": "\xff"}\n\n', content_type="text/event-stream"), InvalidModelResponse),
    "nothing": (Reply(body=b"", content_type="text/event-stream"), InvalidModelResponse),
    "JSON instead of a stream": (Reply(body=b'{"hello": 1}'), InvalidModelResponse),
    "an empty answer": (Reply(), InvalidModelResponse),
    "a web page": (Reply(body=b"<!doctype html>", content_type="text/html"), ModelBadRequest),
    "an end too soon": (Reply("One two three", end_after=3), InvalidModelResponse),
    "a connection cut": (Reply("One two three", cut_after=4), ModelUnreachable),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_answer_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, provider: WireProvider, server: FakeModelServer, case: str
) -> None:
    monkeypatch.setattr("agents_core.llm.retry.FIRST_DELAY_S", 0.001)
    reply, kind = BROKEN[case]
    server.default = lambda _: reply
    _, error = await fail(provider)
    assert type(error) is kind
    assert error.advice


async def test_a_failure_told_inside_the_stream_is_the_same_error(
    name: str, provider: WireProvider, server: FakeModelServer
) -> None:
    errors = {
        "openai_compatible": b'data: {"error": {"message": "busy", "code": 429}}\n\n',
        "openai": b'event: error\ndata: {"type": "error", "code": "rate_limit_exceeded", "message": "busy"}\n\n',
        "anthropic": b'data: {"type": "error", "error": {"type": "rate_limit_error", "message": "busy"}}\n\n',
    }
    server.push(Reply(body=errors[name], content_type="text/event-stream"), Reply("Now"))
    items = await collect(provider)
    assert isinstance(items[1], Retrying)
    assert "busy" in items[1].reason
    assert finished(items).message.text == "Now"


async def test_silence_is_a_timeout_that_says_how_long(name: str, server: FakeModelServer) -> None:
    server.push(Reply("One two three", stall_after=5))
    provider = PROVIDERS[name](Endpoint("a-key", server.url, timeout_s=0.3))
    items, error = await fail(provider)
    assert isinstance(error, ModelTimeout)
    assert "0.3 s" in error.message
    assert TextDelta("One") in items
    await provider.aclose()


async def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("agents_core.llm.retry.FIRST_DELAY_S", 0.001)
    provider = PROVIDERS[name](Endpoint("a-key", "http://127.0.0.1:9/v1"))
    items, error = await fail(provider)
    assert isinstance(error, ModelUnreachable)
    assert "127.0.0.1:9" in error.message
    assert "running" in error.advice
    assert [type(item) for item in items] == [Sent, Retrying, Retrying]
    await provider.aclose()


# --- when it is tried again ----------------------------------------------------------------------------------------


async def test_a_call_goes_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, server: FakeModelServer
) -> None:
    monkeypatch.setenv("http_proxy", server.origin)
    monkeypatch.setenv("no_proxy", "localhost")
    server.push(Reply("There"))
    provider = PROVIDERS[name](Endpoint("a-key", "http://models.test/v1"))
    await fail(provider)
    await provider.aclose()
    assert [request.path.startswith("http://models.test/v1/") for request in server.requests] == [True]


async def test_a_transient_refusal_is_retried_with_the_same_bytes(
    provider: WireProvider, server: FakeModelServer
) -> None:
    server.push(refuse(429, "slow down", retry_after="0"), refuse(500, "oops", **SOON), Reply("There"))
    items = await collect(provider)
    assert [type(item) for item in items] == [Sent, Retrying, Retrying, TextDelta, Finished]
    assert [item.attempt for item in items if isinstance(item, Retrying)] == [2, 3]
    assert [item.after_s for item in items if isinstance(item, Retrying)] == [0.0, 0.001]
    assert len({request.body for request in server.requests}) == 1


async def test_nothing_is_retried_after_the_first_delta(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply("One two three four", cut_after=6), Reply("Never"))
    items, error = await fail(provider)
    assert isinstance(error, ModelUnreachable)
    assert error.response_body
    assert len(server.requests) == 1
    assert any(isinstance(item, TextDelta) for item in items)


async def test_a_wait_beyond_reason_is_left_to_the_caller(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(refuse(429, "come back tomorrow", retry_after="86400"))
    _, error = await fail(provider)
    assert error.retry_after_s == 86400
    assert len(server.requests) == 1


# --- what is left behind -------------------------------------------------------------------------------------------


async def test_cancelling_the_consumer_closes_the_connection(provider: WireProvider, server: FakeModelServer) -> None:
    server.push(Reply("One two three", stall_after=5))
    begun = asyncio.Event()

    async def consume() -> None:
        async for item in provider.stream(HELLO):
            if isinstance(item, TextDelta):
                begun.set()

    task = asyncio.create_task(consume())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.wait_left_early)


async def test_leaving_a_stream_closes_it_and_the_provider_goes_on(
    provider: WireProvider, server: FakeModelServer
) -> None:
    server.push(Reply("One two three", stall_after=5), Reply("Two"))
    async with aclosing(provider.stream(HELLO)) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                break
    assert await asyncio.to_thread(server.wait_left_early)
    assert finished(await collect(provider)).message.text == "Two"


async def test_nothing_is_left_open(name: str, server: FakeModelServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        provider = PROVIDERS[name](Endpoint("a-key", server.url))
        server.push(Reply("One two", cut_after=4))
        await fail(provider)
        await collect(provider)
        await provider.aclose()
        await asyncio.sleep(0)
        del provider
        gc.collect()


async def test_calls_at_once_share_the_provider(provider: WireProvider, server: FakeModelServer) -> None:
    def asking(number: int) -> ModelRequest:
        return replace(HELLO, messages=(ChatMessage("user", (Text(f"number {number}"),)),))

    answers = await asyncio.gather(*(collect(provider, asking(number)) for number in range(40)))
    assert [finished(items).message.text for items in answers] == [f"number {number}" for number in range(40)]


# --- what a provider tells of itself -------------------------------------------------------------------------------


async def test_models_are_listed_with_the_source_of_their_window(
    provider: WireProvider, server: FakeModelServer
) -> None:
    server.models = [{"id": "gpt-4o-mini"}, {"id": "nobody-knows"}]
    listed = {model.name: model for model in await provider.list_models()}
    assert (listed["gpt-4o-mini"].context_window, listed["gpt-4o-mini"].context_window_source) == (128_000, "catalog")
    assert listed["nobody-knows"].context_window_source == "default"


async def test_a_check_of_a_good_address_says_so(provider: WireProvider, server: FakeModelServer) -> None:
    check = await provider.check()
    assert (check.ok, check.status, len(check.models)) == (True, 200, 1)
    assert "1 model" in check.summary


CHECKS: dict[str, tuple[Reply, int | None, str]] = {
    "wrong key": (refuse(401, "bad key"), 401, "key"),
    "not found": (Reply(status=404, body=b'{"detail": "Not Found"}'), 404, "address"),
    "web page": (Reply(body=b"<html>hello"), 200, "address"),
    "not JSON": (Reply(body=b"hello"), None, "trace"),
    "another shape": (Reply(body=b'{"data": 7}'), None, "trace"),
    "no models": (Reply(body=b'{"data": []}'), 200, "model"),
}


@pytest.mark.parametrize("case", CHECKS)
async def test_a_check_never_raises_and_says_what_to_do(
    provider: WireProvider, server: FakeModelServer, case: str
) -> None:
    reply, status, word = CHECKS[case]
    server.push(reply)
    check = await provider.check()
    assert not check.ok
    assert check.status == status
    assert check.summary
    assert word in check.advice


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1", "nonsense", "http://"])
async def test_a_check_of_a_bad_address_says_so(name: str, address: str) -> None:
    provider = PROVIDERS[name](Endpoint("a-key", address))
    check = await provider.check()
    assert (check.ok, check.status) == (False, None)
    assert check.advice
    await provider.aclose()


# --- layout --------------------------------------------------------------------------------------------------------


def walk(body: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        body = body[key]
    return body


async def test_every_path_leads_to_the_value_of_its_source(provider: WireProvider) -> None:
    request = replace(
        HELLO,
        tools=(WEATHER, replace(WEATHER, name="second-tool")),
        messages=(
            ChatMessage("user", (Text("m0 first"),)),
            ChatMessage("system", (Text("m1 operator"),)),
            ChatMessage(
                "assistant",
                (Text("m2 looking"),),
                (ToolCall("c1", "weather", '{"m2":1}'), ToolCall("c2", "weather", '{"m2":2}')),
            ),
            ChatMessage("tool", (Text("m3 sunny"),), tool_call_id="c1"),
            ChatMessage("tool", (Text("m4 rainy"),), tool_call_id="c2", is_error=True),
            ChatMessage("user", (Text("m5 thanks"), Text(" m5 again"))),
        ),
    )
    sent = (await collect(provider, request))[0]
    assert isinstance(sent, Sent)
    body = json.loads(sent.body)
    for placed in sent.layout:
        value = json.dumps(walk(body, placed.path))
        if placed.source == "system":
            assert walk(body, placed.path) == request.system
        elif placed.source == "tool":
            assert request.tools[placed.index].name in value
        else:
            assert f"m{placed.index}" in value
    told = {(placed.source, placed.index) for placed in sent.layout}
    assert told == {("system", 0), ("tool", 0), ("tool", 1), *(("message", i) for i in range(6))}
    places = [sent.body.index(f"m{p.index} ".encode()) for p in sent.layout if p.source == "message"]
    assert places == sorted(places)
