"""Which embedder answers for a handle, kept once a process; and queries made vectors, or the reason why not."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from agents_core.conf import conf
from agents_core.errors import AgentsError, InvalidInput
from agents_core.llm import catalog
from agents_core.llm.base import EMBEDDERS, Embedder, Endpoint

HASHING = "local/hashing"
MINILM = "local/minilm"


@cache
def embedder(handle: str, endpoint: Endpoint | None = None, dimensions: int | None = None) -> Embedder:
    """The embedder of a handle, the same one for the same arguments; nothing is loaded or called yet.

    Args:
        handle: ``local/hashing``, ``local/minilm``, ``local/`` and the path of a model's folder, or ``provider/model``.
        endpoint: where the provider is; its own address and the environment's key when None.
        dimensions: the length of a provider's vectors; needed for a model that the catalog does not know.

    Raises ``InvalidInput`` for a handle of another form, or of a model whose dimensions nobody knows.
    """
    provider, _, model = handle.partition("/")
    if not model:
        raise InvalidInput(f"{handle!r} is no embedding handle: it has the form provider/model.")
    if provider == "local":
        return _local(model)
    length = dimensions or catalog.facts(model).embedding_dimensions
    if length is None:
        raise InvalidInput(f"How long the vectors of {model} are is not known: set its dimensions.")
    made: Embedder = EMBEDDERS.load("openai")(endpoint or Endpoint(), model, length)
    return made


def _local(name: str) -> Embedder:
    made: Embedder = EMBEDDERS.load("minilm")(Path(name)) if "/" in name else EMBEDDERS.load(name)()
    return made


def default_handle() -> str:
    """The handle that new agents and archives get; never waits.

    The setting if given, else ``local/minilm`` once a background thread has found it to answer, else ``local/hashing``.
    The handle is stored, so what it names later changes nothing for those that have one.
    """
    return conf().default_embedder or (MINILM if _minilm_probe().answers else HASHING)


class _Probe:
    """Asks once, in a thread of its own, whether the local model can be had: it may have to be fetched first."""

    def __init__(self) -> None:
        self.answers = False
        if find_spec("fastembed"):
            Thread(target=self._ask, name="embedder-probe", daemon=True).start()

    def _ask(self) -> None:
        self.answers, _ = EMBEDDERS.load("minilm")().available()


@cache
def _minilm_probe() -> _Probe:
    return _Probe()


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query as a vector, or None with the reason in ``note``; then words alone decide.

    ``weight`` is that of the embedder's cosine beside BM25. Vectors of other models than ``model`` are not compared.
    """

    vector: list[float] | None = None
    model: str | None = None
    weight: float = 0.0
    note: str | None = None


async def embed_query(query: str, embedder: Embedder | None) -> QueryVector:
    """Never raises: when the embedder fails, the note says why."""
    if embedder is None:
        return QueryVector(note="No embedding model is set: searched by words only.")
    if not query.strip():
        return QueryVector()
    try:
        [vector] = await embedder.embed([query])
    except AgentsError as error:
        return QueryVector(note=f"Searched by words only: {error.message}")
    return QueryVector(vector, embedder.name, embedder.vector_weight)


def as_halfvec(vector: list[float] | tuple[float, ...]) -> str:
    """The text form of a vector; half precision has fewer than five decimal places."""
    return f"[{','.join(format(value, '.5g') for value in vector)}]"
