import pytest

from agents_core.memory import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë's e-mail — “hello”…", "zoe s e mail hello"),
        ("Could you STRASSE straße", "you strasse strasse"),
        ("日本語の本", "日本 本語 語の の本"),
        ("本", "本"),
        ("हिन्दी में", "हिन्दी में"),
        ("한국어 문장", "한국어 문장"),
        ("2024-05-03, v2.1", "2024 05 03 v2 1"),
        ("🙂 !? _", ""),
    ],
)
def test_text_is_folded_to_plain_words(text: str, expected: str) -> None:
    assert words.folded(text) == expected


def test_a_word_without_end_is_cut() -> None:
    assert len(words.folded("x" * 10_000)) == 64


def test_a_long_query_is_searched_by_its_first_distinct_words() -> None:
    query = " ".join(f"word{number}" for number in range(2_000))
    assert words.query_words(f"{query} {query}") == [f"word{number}" for number in range(words.QUERY_WORDS)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('who said "good  morning" and “old friend”', ["good morning", "old friend"]),
        ('an open "quotation', []),
        ('"" and "?"', []),
        ("the dog's name", []),
    ],
)
def test_phrases_are_what_stands_in_double_quotes(query: str, expected: list[str]) -> None:
    assert words.phrases(query) == expected


def test_what_the_database_cannot_hold_is_left_out() -> None:
    assert words.storable("a\x00b\ud800c") == "ab?c"
