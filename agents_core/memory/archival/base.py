"""What an archival backend is given, what it gives, and what it must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from agents_core.errors import InvalidInput
from agents_core.llm.base import Embedder
from agents_core.memory.embedders import QueryVector
from agents_core.memory.words import storable
from agents_core.models import new_id
from agents_core.models.pipeline import Rows, Statement

AUTHOR_CHARS = 200
"""It stands in an index, whose rows have a limit."""

CANDIDATES = 40
"""How many of the best a search gives at least, so that it can be explained."""


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage to be stored. ``vector`` is of ``indexed_text``, made by ``embedding_model``; both may be None.

    Raises ``InvalidInput`` when the text is empty, or the author's name longer than ``AUTHOR_CHARS``.
    NUL characters are left out: PostgreSQL cannot hold them.
    """

    archive_id: str
    text: str
    author: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    step_id: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: new_id("passage"))
    vector: Sequence[float] | None = None
    embedding_model: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", storable(self.text))
        if not self.text.strip():
            raise InvalidInput("A passage needs a text.")
        if len(self.author or "") > AUTHOR_CHARS:
            raise InvalidInput(f"The author's name may have {AUTHOR_CHARS} characters.")

    @property
    def indexed_text(self) -> str:
        return indexed_text(self.text, self.created_at, self.author)


def indexed_text(text: str, created_at: datetime, author: str | None) -> str:
    """``[8 May 2023] author: text``: what is embedded and split into words, so that dates and people count."""
    return f"[{created_at.day} {created_at:%B %Y}] {f'{author}: ' if author else ''}{text}"


async def embedded(drafts: Sequence[PassageDraft], embedder: Embedder) -> list[PassageDraft]:
    """The drafts with their vectors. Raises what the embedder raises: the caller may store the drafts without."""
    vectors = await embedder.embed([draft.indexed_text for draft in drafts])
    return [
        replace(draft, vector=vector, embedding_model=embedder.name)
        for draft, vector in zip(drafts, vectors, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class ArchivalSearch:
    """What is asked for. ``start`` and ``end`` are aware and inclusive; ``limit`` counts the hits that are returned.

    Words in double quotes must stand in a hit as they are.
    """

    archive_ids: Sequence[str]
    query: str
    tags: Sequence[str] = ()
    tag_match_mode: Literal["any", "all"] = "any"
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate of a search. ``rank`` counts from 1; ``returned`` is true for the first ``limit``, the rest explain.

    ``score`` = weight of the embedder · ``cosine`` + ``bm25`` / the highest bm25 + ``prior``. ``cosine`` is None where
    the passage has no vector of the query's model. ``prior`` is for the one person whom the query names.
    """

    id: str
    rank: int
    returned: bool
    score: float
    cosine: float | None
    bm25: float
    prior: float
    archive_id: str
    text: str
    author: str | None
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime

    def candidate(self) -> dict[str, Any]:
        """As the record keeps it (``MemorySearch.candidates``)."""
        names = ("id", "score", "cosine", "bm25", "prior", "rank", "returned")
        return {name: getattr(self, name) for name in names}


class ArchivalBackend(Protocol):
    """Where passages are searched. Their rows always live in PostgreSQL, so nothing acknowledged can be lost.

    The statements are for a batch (``pipeline.run``) or for Django's transaction (``pipeline.run_sync``).
    """

    def insert_statements(self, drafts: Sequence[PassageDraft]) -> list[Statement]:
        """Stores the drafts and makes them findable."""
        ...

    def edit_statements(self, drafts: Sequence[PassageDraft]) -> list[Statement]:
        """Writes text, author, tags, metadata and vector of passages that exist; when and in which archive stay."""
        ...

    def delete_statements(self, passage_ids: Sequence[str]) -> list[Statement]:
        """Takes passages out of every search. Their rows stay, marked, so that it can be told what was deleted."""
        ...

    def search_statement(self, search: ArchivalSearch, vector: QueryVector) -> Statement:
        """One statement that ranks; ``hits`` reads its rows."""
        ...

    def hits(self, search: ArchivalSearch, rows: Rows) -> list[Hit]:
        """The best first: ``search.limit`` that are returned, and more, up to ``CANDIDATES``, that explain."""
        ...
