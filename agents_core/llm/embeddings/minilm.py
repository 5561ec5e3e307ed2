"""all-MiniLM-L6-v2 on this machine's processor: meaning without a provider.

Three ways in, none of them a requirement of the project: a local ONNX folder (onnxruntime and tokenizers), a local
sentence-transformers folder (sentence-transformers and torch), or fastembed, which fetches the model at first use.
"""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from agents_core.errors import Unavailable

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
BATCH_TEXTS = 32
PROBE_TIMEOUT_S = 3.0

Encode = Callable[[list[str]], list[list[float]]]


class MiniLMEmbedder:
    """384 dimensions by meaning; about 14 ms for a short text, 100 short texts a second in a batch.

    Args:
        folder: a sentence-transformers or ONNX folder. Without it fastembed's own copy is used, fetched when absent.

    Building it loads nothing. The model is loaded once, in a thread, by the first ``embed`` or ``available``; an
    outcome, good or bad, stays until a new embedder is built.
    """

    lexical = False
    vector_weight = 1.5

    def __init__(self, folder: Path | None = None) -> None:
        self.name = folder.name if folder else "all-MiniLM-L6-v2"
        self.dimensions = _hidden_size(folder) if folder else DIMENSIONS
        self._folder = folder
        self._encode: Encode | None = None
        self._refusal: str | None = None
        self._loading = Lock()

    def available(self) -> tuple[bool, str]:
        """Whether the model answers, and why not. Blocks while it loads or is fetched: call it from a thread."""
        try:
            self._loaded()
        except Unavailable as refusal:
            return False, refusal.message
        return True, f"{self.name}, {self.dimensions} dimensions"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of ``dimensions`` for each text, in batches of ``BATCH_TEXTS``, off the event loop.

        Raises ``Unavailable`` when no model can be had, with the reason and what to install or fetch.
        """
        encode = await asyncio.to_thread(self._loaded)
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH_TEXTS):
            vectors += await asyncio.to_thread(encode, list(texts[start : start + BATCH_TEXTS]))
        return vectors

    async def aclose(self) -> None:
        """Let the model's memory go."""
        self._encode = None

    def _loaded(self) -> Encode:
        with self._loading:
            if self._refusal:
                raise Unavailable(self._refusal)
            if self._encode is None:
                try:
                    self._encode = _open_folder(self._folder) if self._folder else _open_fastembed()
                except Unavailable as refusal:
                    self._refusal = refusal.message
                    raise
            return self._encode


def _hidden_size(folder: Path) -> int:
    """Read before the model is loaded, because a vector column is made for it."""
    try:
        return int(json.loads((folder / "config.json").read_text())["hidden_size"])
    except (OSError, ValueError, KeyError, TypeError):
        return DIMENSIONS


def _open_folder(folder: Path) -> Encode:
    onnx = next((file for file in (folder / "model.onnx", folder / "onnx" / "model.onnx") if file.is_file()), None)
    if onnx and (folder / "tokenizer.json").is_file():
        return _open_onnx(onnx, folder / "tokenizer.json")
    if (folder / "modules.json").is_file():
        return _open_sentence_transformers(folder)
    raise Unavailable(
        f"{folder} holds no embedding model: expected model.onnx (or onnx/model.onnx) with tokenizer.json, "
        "or a sentence-transformers folder with modules.json."
    )


def _open_onnx(model: Path, tokenizer_file: Path) -> Encode:
    onnxruntime = _import("onnxruntime", "onnxruntime")
    tokenizers = _import("tokenizers", "tokenizers")
    try:
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    except Exception as error:  # the native libraries raise classes of their own
        raise Unavailable(f"The model in {model.parent} cannot be read: {error}") from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return lambda texts: _encode_onnx(session, tokenizer, texts)


def _encode_onnx(session: Any, tokenizer: Any, texts: list[str]) -> list[list[float]]:
    """The mean of the token vectors under the attention mask, scaled to length 1, as the model was trained."""
    numpy = import_module("numpy")
    encoded = tokenizer.encode_batch(texts)
    mask = numpy.array([item.attention_mask for item in encoded], dtype=numpy.int64)
    given = {
        "input_ids": numpy.array([item.ids for item in encoded], dtype=numpy.int64),
        "attention_mask": mask,
        "token_type_ids": numpy.zeros_like(mask),
    }
    wanted = {each.name for each in session.get_inputs()}
    states = session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
    pooled = (states * mask[..., None]).sum(axis=1) / numpy.maximum(mask.sum(axis=1, keepdims=True), 1)
    scaled = pooled / numpy.maximum(numpy.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
    return scaled.tolist()  # type: ignore[no-any-return]


def _open_sentence_transformers(folder: Path) -> Encode:
    library = _import("sentence_transformers", "sentence-transformers")
    try:
        model = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as error:  # torch and safetensors raise classes of their own
        raise Unavailable(f"The model in {folder} cannot be read: {error}") from error
    return lambda texts: model.encode(texts, normalize_embeddings=True, show_progress_bar=False).tolist()


def _open_fastembed() -> Encode:
    library = _import("fastembed", "fastembed")
    try:
        model = _fastembed_model(library.TextEmbedding)
    except Unavailable:
        raise
    except Exception as error:  # fastembed passes on whatever its download raised
        raise Unavailable(f"fastembed could not load {MODEL}: {error}") from error
    return lambda texts: [vector.tolist() for vector in model.embed(texts, batch_size=BATCH_TEXTS)]


def _fastembed_model(text_embedding: Any) -> Any:
    try:
        return text_embedding(MODEL, local_files_only=True)
    except Exception:  # not fetched yet; the class differs between its versions
        _check_hub()
        return text_embedding(MODEL)


def _check_hub() -> None:
    """Ask before fetching: fastembed itself tries for minutes where there is no way out."""
    httpx = _import("httpx", "httpx")
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        httpx.head(address, timeout=PROBE_TIMEOUT_S)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"The model is not on this machine and {address} cannot be reached ({error}). "
            "Copy a sentence-transformers or ONNX folder here and name it in the settings, or choose another embedder."
        ) from error


def _import(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise Unavailable(f"Local embeddings need the package {package}: install it and restart.") from error
