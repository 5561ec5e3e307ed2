"""How many tokens a text costs, without a network: tiktoken's o200k_base from the ranks in ``vendor/``.

The ranks take about half a second to load, so ``count`` answers bytes / 4 until a background thread has them. Other
providers' tokenizers differ: keep ``updated_ratio`` per model and multiply.
"""

import gzip
import json
from binascii import a2b_base64
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from agents_core.llm.types import ChatMessage, Image, Part, Reasoning, Text, ToolSpec

if TYPE_CHECKING:
    import tiktoken

IMAGE_TOKENS = 1_000
"""What one image counts, whatever its size: between OpenAI's 765 (1024 by 1024) and Anthropic's 1,600 (its maximum)."""

MESSAGE_TOKENS = 4
"""The markup around one message (role and separators)."""

CALL_TOKENS = 8
"""The markup around one tool call or tool definition (id, type, separators)."""

RATIO_WINDOW = 10
"""Replies over which the ratio of reported to estimated tokens is averaged."""

_RANKS = Path(__file__).parent / "vendor" / "o200k_base.tiktoken.gz"
_CACHED_TEXTS = 4_096
_SHORT_CHARS = 512
_SHORT_TEXTS = 16_384
# tiktoken's regex overflows its stack on a megabyte of spaces, so long texts are counted in pieces.
_PIECE_CHARS = 20_000

_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*|"
    r"\s*[\r\n]+|"
    r"\s+(?!\S)|"
    r"\s+"
)

_encoding: "tiktoken.Encoding | None" = None
_loading = Lock()
_started = Lock()
_cache: OrderedDict[bytes, int] = OrderedDict()
_cache_lock = Lock()


def is_exact() -> bool:
    """Whether the ranks are loaded, so that ``count`` gives o200k tokens and not bytes / 4."""
    return _encoding is not None


def warm() -> None:
    """Load the ranks in a background thread; returns at once, and again and again does nothing."""
    if not is_exact() and _started.acquire(blocking=False):
        Thread(target=load, name="token-ranks", daemon=True).start()


def load() -> None:
    """Load the ranks now (about half a second, once in a process)."""
    global _encoding
    with _loading:
        if _encoding is None:
            _encoding = _read_encoding()


def _read_encoding() -> "tiktoken.Encoding":
    import tiktoken  # late: half of a cold start's imports

    tokens = gzip.decompress(_RANKS.read_bytes()).split()[::2]
    ranks = {token: rank for rank, token in enumerate(map(a2b_base64, tokens))}
    special = {"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018}
    return tiktoken.Encoding("o200k_base", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens=special)


def count(text: str) -> int:
    """The tokens of ``text``: exact for o200k_base once loaded, bytes / 4 rounded up before that.

    Text that spells a special token counts as ordinary text. Counts are kept, those of long texts by hash.
    """
    if _encoding is None:
        warm()
        return -(-len(text.encode("utf-8", "replace")) // 4)
    return _count_short(text) if len(text) < _SHORT_CHARS else _count_long(_encoding, text)


@lru_cache(_SHORT_TEXTS)
def _count_short(text: str) -> int:
    assert _encoding is not None
    return len(_encoding.encode_ordinary(text))


def _count_long(encoding: "tiktoken.Encoding", text: str) -> int:
    key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    with _cache_lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    tokens = sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))
    with _cache_lock:
        _cache[key] = tokens
        if len(_cache) > _CACHED_TEXTS:
            _cache.popitem(last=False)
    return tokens


def _pieces(text: str) -> Iterator[str]:
    """Cuts at line ends where it can: few tokens cross one, so the sum is exact but for one or two a piece."""
    start = 0
    while len(text) - start > _PIECE_CHARS:
        newline = text.rfind("\n", start, start + _PIECE_CHARS)
        end = newline + 1 if newline > start else start + _PIECE_CHARS
        yield text[start:end]
        start = end
    yield text[start:]


def count_message(message: ChatMessage) -> int:
    """An estimate of one message with its markup, its tool calls, and ``IMAGE_TOKENS`` for each image."""
    calls = sum(count(call.name) + count(call.arguments) + CALL_TOKENS for call in message.tool_calls)
    return MESSAGE_TOKENS + calls + sum(map(_count_part, message.parts))


def _count_part(part: Part) -> int:
    match part:
        case Text(text) | Reasoning(text):
            return count(text)
        case Image():
            return IMAGE_TOKENS


def count_tools(tools: Iterable[ToolSpec]) -> int:
    """An estimate of the tool definitions: names, descriptions and schemas as compact JSON."""
    return sum(map(_count_tool, tools))


def _count_tool(tool: ToolSpec) -> int:
    schema = json.dumps(tool.parameters, ensure_ascii=False, separators=(",", ":"))
    return CALL_TOKENS + count(tool.name) + count(tool.description) + count(schema)


def updated_ratio(ratio: float, samples: int, estimated: int, reported: int) -> float:
    """The moving average of reported / estimated tokens for one model, after one more reply.

    Args:
        ratio: the average so far (anything when ``samples`` is 0).
        samples: how many replies it stands for; the last ``RATIO_WINDOW`` or so weigh.
        estimated: our count of that request.
        reported: the provider's ``input_tokens`` for it.

    A reply that reports nothing leaves the ratio as it is (1.0 when there was none).
    """
    if estimated <= 0 or reported <= 0:
        return ratio if samples else 1.0
    weight = 1 / min(samples + 1, RATIO_WINDOW)
    return (1 - weight) * ratio + weight * reported / estimated
