"""What a summary must not lose is found without a model."""

from time import perf_counter

import pytest

from agents_core.models import Role
from agents_core.runtime.state import StoredMessage
from agents_core.runtime.summary_guards import KEPT, guarded

ROOM = 4000


def says(text: str, role: str = Role.USER) -> StoredMessage:
    return StoredMessage("message-1", role, [{"type": "text", "text": text}])


def kept(*texts: str, summary: str = "They talked.", in_view: str = "") -> list[str]:
    source = [says(text) for text in texts]
    return guarded(summary, source, "\n".join(texts), in_view, ROOM).kept


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("we met Ada Lovelace there", "Ada Lovelace"),
        ("the code is 0815", "0815"),
        ("it is due on 2026-03-04.", "2026-03-04"),
        ("write to ada1815@example.org, please", "ada1815@example.org"),
        ("call +49-30-1234", "+49-30-1234"),
        ("it costs 1,250.50 altogether", "1,250.50"),
        ("fine. Please don't wake the baby! thanks", "Please don't wake the baby!"),
        ("you must not open the door", "you must not open the door"),
    ],
)
def test_a_fact_that_a_summary_drops_is_kept(text: str, fact: str) -> None:
    assert fact in kept(text)


@pytest.mark.parametrize(
    "text", ["The weather is fine. It rains.", "I take 3 of them", "nothing to see here", "I don't know. We never met."]
)
def test_a_first_word_and_a_lone_digit_are_no_facts(text: str) -> None:
    assert kept(text) == []


def test_what_the_summary_or_the_prompt_says_is_not_kept_twice() -> None:
    assert kept("we met Ada at 0815", summary="They met ADA at 0815.") == []
    assert kept("we met Ada at 0815", in_view="Ada comes at 0815.") == []
    assert "15" in kept("there were 15", summary="There were 1500.")


def test_a_summary_that_keeps_most_is_left_as_it_is() -> None:
    numbers = [str(number) for number in range(10, 20)]
    text = " ".join(numbers)
    checked = guarded(" ".join(numbers[:9]), [says(text)], text, "", ROOM)
    assert (round(checked.retention or 0, 2), checked.kept) == (0.9, [])
    checked = guarded(" ".join(numbers[:7]), [says(text)], text, "", ROOM)
    assert (round(checked.retention or 0, 2), sorted(checked.kept)) == (0.7, numbers[7:])


def test_what_an_earlier_summary_kept_comes_before_what_is_new() -> None:
    earlier = says(f"They talked.\n{KEPT}Captain Nemo; 4711", Role.SUMMARY)
    news = says(" ".join(f"number {number}" for number in range(1000, 1100)))
    checked = guarded("They talked.", [earlier, news], "", "", ROOM)
    assert checked.kept[:2] == ["Captain Nemo", "4711"]


def test_the_whole_never_outgrows_its_room() -> None:
    source = [says(f"we met Person{number} with {number}{number}{number}") for number in range(500)]
    for room in (100, 400, 4000):
        checked = guarded("word " * 5000, source, "", "", room)
        assert len(checked.text) <= room
        assert checked.kept or room == 100


def test_names_and_numbers_that_nobody_said_are_told() -> None:
    checked = guarded("It was Sinbad who paid 88 to Nemo.", [says("we met Nemo")], "user: we met Nemo", "", ROOM)
    assert checked.unsupported == ["88", "Sinbad"]


def test_long_text_without_a_pause_is_read_in_no_time() -> None:
    for text in ("a-" * 200_000, "word " * 200_000, "Ada " * 100_000, "9" * 400_000):
        started = perf_counter()
        kept(text)
        assert perf_counter() - started < 2
