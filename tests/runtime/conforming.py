"""A behaviour of an agent, played over the API as JSON, as streams and in the background, and told in lines that can be compared."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from agents_core.llm.errors import ModelBadRequest
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer, Scripted, script
from agents_core.llm.types import ModelRequest
from tests.api.conftest import Api

Shown = dict[str, Any]
Meanwhile = Callable[[Api, str], Awaitable[None]]

SUMMARY = "They spoke of ships."
"""What the model writes when it is asked for a summary."""

_numbers = count()


@dataclass(frozen=True, slots=True)
class Row:
    """A behaviour. ``told`` are the lines of all answers in order, "…" for anything; after each answer "= stop_reason", and the
    status where JSON tells of an error.

    ``answers``: what the model says. ``sends``: the requests, a text or a body. ``agent``: fields of its making. ``blocks``: values
    afterwards, by label; None for one that is gone. ``seen``: whether the requests that the model got are right, summaries left
    out. ``meanwhile``: is done while the request is answered.
    """

    rule: str
    answers: Sequence[Scripted]
    told: Sequence[str]
    sends: Sequence[str | dict[str, Any]] = ("Go",)
    tools: Sequence[str] = ()
    rules: Sequence[dict[str, Any]] = ()
    agent: Mapping[str, Any] = field(default_factory=dict)
    blocks: Mapping[str, str | None] = field(default_factory=dict)
    seen: Callable[[Sequence[ModelRequest]], bool] | None = None
    meanwhile: Meanwhile | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one request. ``failed``: that it failed was told."""

    messages: list[Shown]
    stop_reason: str
    failed: bool = False


@dataclass(slots=True)
class Played:
    """What came of a row that was played one way. ``unlisted``: ids and otids of messages that were told and are not in the history."""

    told: list[Told]
    requests: list[ModelRequest]
    blocks: dict[str, str]
    unlisted: set[tuple[str, str]]
    run_reasons: list[tuple[str, str]]


Way = Callable[[Api, str, dict[str, Any]], Awaitable[Told]]


async def play(row: Row, way: Way) -> Played:
    """Plays a row with an agent of its own."""
    api, requests = Api(), []
    name = f"row{next(_numbers)}"
    script(name, [_model(row.answers, requests)] * 100)
    agent_id = (await api.post("/agents/", _new_agent(row, f"scripted/{name}")))["id"]
    path = f"/agents/{agent_id}"
    told = []
    for sent in row.sends:
        body = {"input": sent} if isinstance(sent, str) else sent
        meanwhile = [row.meanwhile(api, agent_id)] if row.meanwhile else []
        told.append((await asyncio.gather(way(api, path, body), *meanwhile))[0])
    blocks = await api.get(f"{path}/core-memory/blocks")
    runs = await api.get("/runs/", agent_id=agent_id, order="asc")
    listed = await api.get(f"{path}/messages", use_assistant_message=False)
    return Played(
        told,
        requests,
        {block["label"]: block["value"] for block in blocks},
        {
            (each["id"], each["otid"])
            for one in told
            for each in one.messages
            if each["message_type"] != "summary_message"
        }
        - {(each["id"], each["otid"]) for each in listed},
        [(run["status"], run["stop_reason"]) for run in runs],
    )


def _model(answers: Sequence[Scripted], requests: list[ModelRequest]) -> Scripted:
    left = iter(answers)

    def model(request: ModelRequest) -> str | Answer:
        if request.system.startswith(SUMMARY_REQUEST):
            return SUMMARY
        requests.append(request)
        answer = next(left, Answer(error=ModelBadRequest("The row has no answer left.")))
        return answer(request) if callable(answer) else answer

    return model


def _new_agent(row: Row, model: str) -> dict[str, Any]:
    own = {
        "model": model,
        "include_base_tools": False,
        "include_base_tool_rules": False,
        "initial_message_sequence": [],
        "memory_blocks": [{"label": "human", "value": "Her name is Ada."}],
        "tools": list(row.tools),
        "tool_rules": list(row.rules),
    }
    return own | dict(row.agent)


# --- the ways --------------------------------------------------------------------------------------------------------


async def as_json(api: Api, path: str, body: dict[str, Any]) -> Told:
    """One answer; of a run that failed before it said anything to its caller, what it stored."""
    status, answer = await api.call("POST", f"{path}/messages", body)
    if status < 400:
        reason = answer["stop_reason"]["stop_reason"]
        return Told(answer["messages"], reason, reason not in _UNFAILED)
    [run] = await api.get("/runs/", agent_id=path.rpartition("/")[2], limit=1)
    stored = await api.get(f"/runs/{run['id']}/messages", order="asc")
    return Told([each for each in stored if each["step_id"]], f"{run['stop_reason']} {status}", failed=True)


_UNFAILED = {"end_turn", "max_steps", "tool_rule", "requires_approval", "cancelled"}


async def in_steps(api: Api, path: str, body: dict[str, Any]) -> Told:
    found = [each async for each in _frames(api, f"{path}/messages", body | {"streaming": True})]
    return _told(found, [data for data in found if _is_message(data)])


async def in_tokens(api: Api, path: str, body: dict[str, Any]) -> Told:
    asked = body | {"streaming": True, "stream_tokens": True}
    found = [each async for each in _frames(api, f"{path}/messages", asked)]
    return _told(found, joined(found))


async def in_background(api: Api, path: str, body: dict[str, Any]) -> Told:
    """A stream that is lost after two frames, and resumed."""
    found: list[Shown] = []
    asked = body | {"streaming": True, "stream_tokens": True, "background": True}
    async with aclosing(_frames(api, f"{path}/messages", asked)) as frames:
        async for data in frames:
            found.append(data)
            if sum(bool(each.get("seq_id")) for each in found) == 2:
                break
    numbered = [data for data in found if data.get("seq_id")]
    resumed = {"starting_after": numbered[-1]["seq_id"] if numbered else 0, "include_pings": False}
    rest = [each async for each in _frames(api, f"/runs/{found[0]['run_id']}/stream", resumed)]
    numbers = [data["seq_id"] for data in [*numbered, *rest] if data.get("seq_id")]
    assert numbers == sorted(set(numbers))
    return _told(rest, joined([*numbered, *rest]))


WAYS: Sequence[Way] = (as_json, in_steps, in_tokens, in_background)


async def _frames(api: Api, path: str, body: dict[str, Any]) -> AsyncGenerator[Shown, None]:
    """The data of a stream's frames, as they come; it has to end as streams do."""
    response: Any = await api.client.post(f"/v1{path}", json.dumps(body), content_type="application/json")
    assert response.status_code == 200, response.content
    last = ""
    async with aclosing(response.streaming_content) as chunks:
        async for chunk in chunks:
            for block in filter(None, chunk.decode().split("\n\n")):
                last = dict(line.split(": ", 1) for line in block.split("\n"))["data"]
                if last != "[DONE]":
                    yield json.loads(last)
    assert last == "[DONE]"


_NO_MESSAGES = {"ping", "stop_reason", "usage_statistics", "error_message"}


def _is_message(data: Shown) -> bool:
    return data["message_type"] not in _NO_MESSAGES


def _told(found: Sequence[Shown], messages: list[Shown]) -> Told:
    [reason] = [data["stop_reason"] for data in found if data["message_type"] == "stop_reason"]
    return Told(messages, reason, any(data["message_type"] == "error_message" for data in found))


_GROWING = {"reasoning_message": "reasoning", "assistant_message": "content"}


def joined(fragments: Sequence[Shown]) -> list[Shown]:
    """Whole messages from fragments that share an otid, as a client joins them."""
    whole: dict[str, Shown] = {}
    for fragment in filter(_is_message, fragments):
        message = whole.setdefault(fragment["otid"], {})
        assert message.get("message_type") in (None, fragment["message_type"])
        grows = _GROWING.get(fragment["message_type"])
        if "tool_call" in fragment:
            calls = _with_delta(message.get("tool_calls", []), fragment["tool_calls"])
            message |= fragment | {"tool_call": calls[0], "tool_calls": calls}
        elif grows and isinstance(fragment[grows], str):
            message |= fragment | {grows: message.get(grows, "") + fragment[grows]}
        else:
            message |= fragment
    return list(whole.values())


def _with_delta(calls: list[Shown], delta: Shown) -> list[Shown]:
    if not any(call["tool_call_id"] == delta["tool_call_id"] for call in calls):
        return [*calls, {"name": delta["name"], "arguments": delta["arguments"], "tool_call_id": delta["tool_call_id"]}]
    return [
        call | {"arguments": call["arguments"] + delta["arguments"]}
        if call["tool_call_id"] == delta["tool_call_id"]
        else call
        for call in calls
    ]


# --- comparing -------------------------------------------------------------------------------------------------------

_OWN = {"id", "date", "otid", "step_id", "run_id", "seq_id"}
_COUNTED = {"context_token_estimate", "context_tokens_before", "context_tokens_after"}
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| [AP]M \w+[+-]\d{4})?|\d+s ago"
)


def lasting(told: Sequence[Told]) -> list[tuple[list[Shown], str, bool]]:
    """What has to be the same whichever way it was told: ids, times and counts of what holds ids are left out."""
    return [(list(map(_lasting, each.messages)), each.stop_reason.split()[0], each.failed) for each in told]


def _lasting(message: Shown) -> Shown:
    text = _PASSING.sub("*", json.dumps(message))
    found: Shown = json.loads(text, object_hook=_kept)
    return found


def _kept(fields: Shown) -> Shown:
    return {name: value for name, value in fields.items() if name not in _OWN | _COUNTED}


def lines(told: Sequence[Told]) -> Iterator[str]:
    for each in told:
        yield from map(_line, each.messages)
        yield f"= {each.stop_reason}"


def _line(message: Shown) -> str:
    match message["message_type"]:
        case "reasoning_message":
            return f"thinks {message['reasoning']}"
        case "assistant_message":
            return f"says {message['content']}"
        case "tool_call_message":
            return f"calls {_calls(message)}"
        case "approval_request_message":
            return f"asks {_calls(message)}"
        case "tool_return_message":
            return " & ".join(f"{_VERBS[each['status']]} {each['tool_return']}" for each in message["tool_returns"])
        case "user_message":
            packed = json.loads(message["content"])
            return f"{packed['type']} {packed.get('reason') or packed.get('message')}"
        case "event_message":
            return f"{message['event_type']} {message['event_data']['trigger']}"
        case "summary_message":
            return f"summary {message['summary']}"
    return str(message["message_type"])


_VERBS = {"success": "returns", "error": "fails"}


def _calls(message: Shown) -> str:
    return " & ".join(f"{call['name']} {call['arguments']}" for call in message["tool_calls"])


def fits(expected: str, line: str) -> bool:
    """Whether a line is the expected one, in which "…" stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line, re.DOTALL) is not None
