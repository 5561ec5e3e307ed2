"""No secret in what is stored of a call."""

import pytest

from agents_core.sandbox.base import RecordedStep, SandboxOutcome
from agents_core.tools.masking import MASK, Mask

KEY = 'sk-12 34\n"é/'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"key {KEY}!", f"key {MASK}!"),
        (f"{KEY}{KEY}", MASK + MASK),
        (repr({"k": KEY}), f"{{'k': '{MASK}'}}"),
        ('{"k": "sk-12 34\\n\\"é/"}', f'{{"k": "{MASK}"}}'),
        ('{"k": "sk-12 34\\n\\"\\u00e9/"}', f'{{"k": "{MASK}"}}'),
        ("https://x/?k=sk-12%2034%0A%22%C3%A9%2F", f"https://x/?k={MASK}"),
        ('ValueError: sk-12 34 "é/ is wrong', f"ValueError: {MASK} is wrong"),
        ("sk-12 and 34", "sk-12 and 34"),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(said: str, shown: str) -> None:
    assert Mask([KEY]).text(said) == shown


def test_values_are_masked_at_any_depth_and_in_keys_and_numbers() -> None:
    mask = Mask(["hunter22", "4711001"])
    value = {"hunter22": [1, {"a": "is hunter22"}, 4711001, True, None, 1.5]}
    assert mask.value(value) == {MASK: [1, {"a": f"is {MASK}"}, MASK, True, None, 1.5]}


def test_the_longer_of_two_secrets_goes_first_and_what_is_too_short_stays() -> None:
    assert Mask(["abcd", "abcdefgh", "abc", ""]).text("abcdefgh abcd abc") == f"{MASK} {MASK} abc"


def test_the_beginning_of_a_secret_where_output_was_cut_is_hidden() -> None:
    outcome = SandboxOutcome(
        "error", error="E: very-secret-…", stdout="x very-secret-v", stderr="very-sec", output_truncated=True
    )
    masked = Mask(["very-secret-value"]).outcome(outcome)
    assert (masked.error, masked.stdout, masked.stderr) == (f"E: {MASK}…", f"x {MASK}", MASK)
    whole = Mask(["very-secret-value"]).outcome(SandboxOutcome("ok", stdout="very-secret-v"))
    assert whole.stdout == "very-secret-v"


def test_without_secrets_an_outcome_is_as_it_was() -> None:
    outcome = SandboxOutcome("ok", value={"a": 1}, stdout="…")
    assert Mask([]).outcome(outcome) is outcome


def test_recorded_steps_show_no_secret_nor_the_parts_that_a_cut_leaves() -> None:
    variables = (("key", "'very-secret-value'"), ("long", "'xx very-secret…secret-value yy'"))
    step = RecordedStep(3, 1, "f", "return", "very-secret-value", variables, ("key",), 0)
    [masked] = Mask(["very-secret-value"]).outcome(SandboxOutcome("ok", steps=(step,))).steps
    assert masked.note == MASK
    assert dict(masked.variables) == {"key": f"'{MASK}'", "long": f"'xx {MASK}…{MASK} yy'"}
