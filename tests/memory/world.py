"""The rows that the tests of memory need, and an embedder whose meaning they decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents_core.errors import Unavailable
from agents_core.models import Agent, Archive, Message


@dataclass
class TopicEmbedder:
    """One dimension a topic; a text lies in the direction of the topics whose words it holds."""

    topics: Sequence[Sequence[str]]
    name: str = "topics"
    lexical: bool = False
    vector_weight: float = 1.5
    calls: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dimensions = len(self.topics)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.calls.append(list(texts))
        return [[float(any(word in text.lower() for word in topic)) for topic in self.topics] for text in texts]

    async def aclose(self) -> None:
        """Nothing is open."""


class AbsentEmbedder(TopicEmbedder):
    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        raise Unavailable("The embedding server is away.")


def make_agent(name: str = "Ada") -> Agent:
    return Agent.objects.create(name=name, system="You help.", model="offline/rules", context_window=8192)


def make_archive() -> Archive:
    return Archive.objects.create(name="Facts", embedding="local/hashing")


def say(agent: Agent, seq: int, role: str, text: str, **fields: object) -> Message:
    return Message.objects.create(agent=agent, seq=seq, role=role, content=[{"type": "text", "text": text}], **fields)
