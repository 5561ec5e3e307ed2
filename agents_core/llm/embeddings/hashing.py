"""Texts to vectors by the hashing trick: always there, instant, and blind to meaning. Shared words only."""

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

# Longer runs (base64, hashes) are cut, so that the cache of words stays small.
_WORD = re.compile(r"[^\W_]{1,64}")
_SIGN_BIT = 0x8000_0000
_CJK_BLOCKS_START = "\u2e80"

Features = tuple[tuple[int, float], ...]
"""Positions in the vector and the sign each gets."""


class HashingEmbedder:
    """Words, pairs of neighbouring words and character 4-grams, hashed into 384 signed counts of length 1.

    The same text gives the same vector on every machine and in every process (CRC-32, not ``hash``). Scripts written
    without spaces give character pairs in place of 4-grams. A text without a letter or digit gives the zero vector,
    whose likeness to everything is 0. Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009).
    """

    name = "hashing-384"
    dimensions = 384
    lexical = True
    vector_weight = 0.5

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of 384 for each text."""
        return [_vector(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing is open."""


def _vector(text: str) -> list[float]:
    vector = [0.0] * HashingEmbedder.dimensions
    words = _WORD.findall(text.casefold())
    for word in words:
        for position, sign in _word_features(word):
            vector[position] += sign
    for pair in pairwise(words):
        position, sign = _hashed(" ".join(pair))
        vector[position] += sign
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector


@lru_cache(maxsize=16_384)
def _word_features(word: str) -> Features:
    return tuple(_hashed(feature) for feature in (word, *_ngrams(word)))


def _ngrams(word: str) -> Iterator[str]:
    padded, size = (word, 2) if word >= _CJK_BLOCKS_START else (f" {word} ", 4)
    return (padded[start : start + size] for start in range(len(padded) - size + 1))


def _hashed(feature: str) -> tuple[int, float]:
    number = crc32(feature.encode("utf-8", "surrogatepass"))
    return number % HashingEmbedder.dimensions, 1.0 if number & _SIGN_BIT else -1.0
