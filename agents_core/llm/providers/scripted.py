"""The scripted model: plays a list of answers, one a request. For our tests and for users' tests.

In one process, register a script under a model's name and use the model ``scripted/greeter``::

    script("greeter", ["Hello!", Answer(calls=[("roll_dice", {"sides": 6})]), lambda request: "Bye!"])

Across processes, give the provider ``base_url="file:///path/to/script.json"``. The file holds a list of answers for
every model, or an object of such lists by model name; an answer is a string or an object of ``Answer``'s fields::

    ["Hello!",
     {"calls": [["roll_dice", {"sides": 6}]], "reasoning": "A die.", "delay_s": 0.1, "usage": {"input_tokens": 10}},
     {"error": "ModelRateLimited", "message": "Too many requests.", "retry_after_s": 0.1}]

Each conversation plays the script from its beginning. It goes on only when an answer was given whole (or its error was
raised), and a file's progress is kept beside it in ``<file>.played/``: a worker killed in mid-answer gets it again.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from agents_core.llm import errors
from agents_core.llm.base import Endpoint
from agents_core.llm.errors import ModelBadRequest, ModelError, ModelNotFound
from agents_core.llm.providers._in_process import LocalAnswer, estimated_usage, numbered_calls, played, sent
from agents_core.llm.types import Check, Finished, ModelInfo, ModelRequest, StreamItem, ToolCall, Usage

CONTEXT_WINDOW_TOKENS = 128_000

_CONVERSATION = re.compile(r"^- (?:AGENT|CONVERSATION)_ID: *(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. A call's arguments given as a string go out as they are, well formed or not.

    ``error`` is raised after the reasoning and text given beside it, if any. ``delay_s`` passes before the first delta.
    """

    text: str = ""
    calls: Sequence[tuple[str, dict[str, Any] | str]] = ()
    reasoning: str = ""
    usage: Usage | None = None
    error: ModelError | None = None
    delay_s: float = 0.0


Scripted = str | Answer | Callable[[ModelRequest], "str | Answer"]


class Progress(Protocol):
    """How many answers of a script each conversation has had."""

    def read(self, conversation: str) -> int: ...

    def advance(self, conversation: str) -> None: ...


@dataclass(slots=True)
class Script:
    """``requests`` are all that came in, for a test to look at."""

    name: str
    answers: Sequence[Scripted]
    progress: Progress
    requests: list[ModelRequest] = field(default_factory=list)

    def answer(self, request: ModelRequest, conversation: str) -> Answer:
        """Raises ``ModelBadRequest`` when the conversation has had all answers."""
        self.requests.append(request)
        position = self.progress.read(conversation)
        if position >= len(self.answers):
            raise ModelBadRequest(
                f"The script {self.name} has run out: it holds {len(self.answers)} answers and this is "
                f"request {position + 1} of the conversation.",
                advice="Add an answer to the script, or look why one more step was taken.",
            )
        scripted = self.answers[position]
        given = scripted(request) if callable(scripted) else scripted
        return Answer(given) if isinstance(given, str) else given


_scripts: dict[str, Script] = {}


def script(name: str, answers: Sequence[Scripted]) -> Script:
    """Register ``answers`` as the model ``name`` of this process, from the beginning; replaces an earlier one."""
    _scripts[name] = Script(repr(name), answers, _InMemory())
    return _scripts[name]


class ScriptedProvider:
    """Plays registered scripts, or those of the file that ``endpoint.base_url`` names."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.base_url
        self._file = _path(endpoint.base_url) if endpoint.base_url else None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Raises the script's own errors; ``ModelBadRequest`` when it is absent, malformed or has run out."""
        started = time.perf_counter()
        yield sent(request, self._url or f"scripted:{request.model}")
        conversation = " ".join(_CONVERSATION.findall(request.system))
        current = self._script(request.model)
        answer = current.answer(request, conversation)
        await asyncio.sleep(answer.delay_s)
        local = _local(request, answer)
        usage = answer.usage or estimated_usage(request, local.message)
        async for item in played(request, local, usage, started):
            if isinstance(item, Finished):
                current.progress.advance(conversation)
                if answer.error:
                    raise answer.error
            yield item

    async def list_models(self) -> list[ModelInfo]:
        names = list(_read(self._file)) if self._file else list(_scripts)
        return [ModelInfo(name, CONTEXT_WINDOW_TOKENS, "default") for name in names]

    async def check(self) -> Check:
        address = self._url or "scripted:"
        try:
            models = tuple(await self.list_models())
        except ModelError as error:
            return Check(False, address, None, error.cause, error.advice)
        return Check(True, address, None, f"{len(models)} scripts.", models=models)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _script(self, model: str) -> Script:
        if self._file is None:
            found = _scripts.get(model)
        else:
            scripts = _read(self._file)
            answers = scripts.get(model, scripts.get("*"))
            found = None if answers is None else _from_json(self._file, model, answers)
        if found is None:
            raise ModelNotFound(
                f"There is no script {model!r} in {self._file or 'this process'}.",
                advice="Register it with script(name, answers), or name it in the file.",
            )
        return found


def _local(request: ModelRequest, answer: Answer) -> LocalAnswer:
    named = numbered_calls(request, [(name, {}) for name, _ in answer.calls])
    calls = tuple(
        ToolCall(call.id, call.name, given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))
        for call, (_, given) in zip(named, answer.calls, strict=True)
    )
    return LocalAnswer(answer.text, answer.reasoning, calls)


class _InMemory:
    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def read(self, conversation: str) -> int:
        return self._given[conversation]

    def advance(self, conversation: str) -> None:
        self._given[conversation] += 1


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """One file a conversation; its length is the number of answers given."""

    folder: Path
    model: str

    def read(self, conversation: str) -> int:
        file = self._file(conversation)
        return file.stat().st_size if file.exists() else 0

    def advance(self, conversation: str) -> None:
        self.folder.mkdir(exist_ok=True)
        with self._file(conversation).open("ab") as file:
            file.write(b".")

    def _file(self, conversation: str) -> Path:
        return self.folder / re.sub(r"[^\w.-]", "_", f"{self.model} {conversation}".strip())


# --- the file ------------------------------------------------------------------------------------------------------


def _path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise ModelBadRequest(
            f"A script is named by a file: URL, not {url!r}.", advice="Write file:///path/to/script.json."
        )
    return Path(url2pathname(parts.path))


def _read(file: Path) -> dict[str, list[Any]]:
    """Lists of answers by model name; "*" is any model."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelBadRequest(f"The script {file} cannot be read: {error}.") from error
    scripts = {"*": value} if isinstance(value, list) else value
    if not isinstance(scripts, dict) or not all(isinstance(answers, list) for answers in scripts.values()):
        raise ModelBadRequest(f"The script {file} must hold a list of answers, or an object of such lists by model.")
    return scripts


def _from_json(file: Path, model: str, answers: list[Any]) -> Script:
    try:
        parsed = [_answer(answer) for answer in answers]
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelBadRequest(f"The script {file} holds an answer that cannot be played: {error}.") from error
    return Script(str(file), parsed, _OnDisk(file.with_name(file.name + ".played"), model))


def _answer(value: Any) -> Answer:
    if isinstance(value, str):
        return Answer(value)
    given = dict(value)
    error = {key: given.pop(key) for key in ("error", "message", "status", "retry_after_s") if key in given}
    usage = given.pop("usage", None)
    calls = [(str(name), arguments) for name, arguments in given.pop("calls", ())]
    return Answer(
        **given, calls=calls, usage=Usage(**usage) if usage else None, error=_error(**error) if error else None
    )


def _error(error: str, message: str = "Scripted error.", **facts: Any) -> ModelError:
    kind = getattr(errors, error, None)
    if not (isinstance(kind, type) and issubclass(kind, ModelError)):
        raise TypeError(f"{error!r} is no class of agents_core.llm.errors")
    return kind(message, **facts)
