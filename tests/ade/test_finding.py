"""Finding by a few letters, and showing where words were found."""

import pytest

from ade.excerpts import LENGTH, Part, excerpt
from ade.fuzzy import best, score

NAMES = ["travel-concierge", "conversation_search", "human", "rethink_user_memory", "Straße nach Köln", "touring"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("trvc", ["travel-concierge"]),
        ("con", ["conversation_search", "travel-concierge"]),
        ("search conv", ["conversation_search"]),
        ("HUM", ["human"]),
        ("köln", ["Straße nach Köln"]),
        ("zzz", []),
        ("", NAMES),
    ],
)
def test_letters_in_their_order_find_a_name_and_a_beginning_comes_first(query: str, found: list[str]) -> None:
    assert best(query, NAMES, str, 10) == found


def test_a_whole_word_fits_better_than_a_part_and_a_part_better_than_scattered_letters() -> None:
    fits = [score("tour", name) or 0 for name in ("tour", "the tour", "detour", "t-o-u-r")]
    assert fits == sorted(fits, reverse=True)
    assert len(set(fits)) == 4


def found(parts: list[Part]) -> list[str]:
    return [part.text for part in parts if part.is_found]


@pytest.mark.parametrize(
    ("text", "words", "stems", "marked"),
    [
        ("Two flights from Porto", ["flight"], ["flight"], ["flights"]),
        ("He preferred the aisle", ["preferences"], ["prefer"], ["preferred"]),
        ("Zoë lives in ZÜRICH", ["zoe", "zürich"], [], ["Zoë", "ZÜRICH"]),
        ("a (b) [c] .*", ["(b)", ".*"], [], ["(b)", ".*"]),
        ("東京タワーを見た", ["東京"], [], ["東京"]),
        ("nothing of it", ["else"], [], []),
        ("", ["x"], [], []),
    ],
)
def test_what_was_found_is_marked_with_its_endings_and_accents(
    text: str, words: list[str], stems: list[str], marked: list[str]
) -> None:
    parts = excerpt(text, words, stems)
    assert found(parts) == marked
    assert "".join(part.text for part in parts) == text


def test_an_excerpt_is_short_and_shows_the_place_wherever_it_is() -> None:
    for text in ("word " * 30_000 + "needle " + "word " * 100, "x" * 100_000 + "needle" + "x" * 1000):
        parts = excerpt(text, ["needle"])
        assert found(parts) == ["needle"]
        assert len("".join(part.text for part in parts)) <= LENGTH + 4
        assert (parts[0].text, parts[-1].text) == ("… ", " …")
