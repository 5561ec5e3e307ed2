"""What the code of a tool asks of its agent's archival memory while it runs, through its client."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field, ValidationError

from agents_core.errors import InvalidInput
from agents_core.sandbox.base import Answer


class PassageListing(BaseModel, extra="forbid"):
    """``search`` is a part of the text."""

    search: str | None = None
    limit: int = Field(50, ge=1, le=100)
    ascending: bool = True


class PassageQuery(BaseModel, extra="forbid"):
    """Times are ISO 8601, as for ``archival_memory_search``."""

    query: str = Field(min_length=1)
    tags: list[str] | None = None
    tag_match_mode: Literal["any", "all"] = "any"
    top_k: int | None = Field(None, ge=1, le=50)
    start_datetime: str | None = None
    end_datetime: str | None = None


class ArchiveReader(Protocol):
    """An agent's archival memory, to be read."""

    async def listed(self, wanted: PassageListing) -> list[dict[str, Any]]:
        """{id, text, tags, created_at, archive_id} of each."""
        ...

    async def found(self, wanted: PassageQuery) -> list[dict[str, Any]]:
        """{id, timestamp, content, tags} of each, best first."""
        ...


def answers_of(reader: ArchiveReader) -> Answer:
    """Answers what ``agents_core.sandbox.inside.agent.Passages`` asks. Raises ``InvalidInput`` for what is no such question."""
    questions: dict[str, Callable[[dict[str, Any]], Any]] = {
        "list_passages": lambda arguments: reader.listed(PassageListing.model_validate(arguments)),
        "search_passages": lambda arguments: reader.found(PassageQuery.model_validate(arguments)),
    }

    async def answer(name: str, arguments: dict[str, Any]) -> Any:
        if name not in questions:
            raise InvalidInput(f"There is no question {name!r:.40}; a tool may ask: {', '.join(questions)}.")
        try:
            return await questions[name](arguments)
        except ValidationError as error:
            raise InvalidInput(f"client.agents.passages: {_told(error)}") from None

    return answer


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
