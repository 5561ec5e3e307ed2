"""The cases of a tool as its page shows them, and the form of one."""

import json
from dataclasses import dataclass
from typing import Any, Self

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.tool_inputs import read_json
from agents_core.actions.tool_cases import JSON_TYPES, LONGEST_NAME, Wanted, newest_version, proposed
from agents_core.models import Expectation, Tool, ToolCase
from agents_core.sandbox.base import SandboxOutcome

_NAMED_CHARS = 60
_WORDS = {
    "returns": gettext_noop("returns"),
    "equals": gettext_noop("equals"),
    "contains": gettext_noop("contains"),
    "type": gettext_noop("is of type"),
    "raises": gettext_noop("raises"),
}


def told_json(value: Any) -> str:
    """JSON as people write it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case with its last outcome. ``stale``: that was of another version of the tool, or of text that was not saved."""

    case: ToolCase
    stale: bool

    @property
    def arguments(self) -> str:
        return told_json(self.case.arguments)

    @property
    def wanted(self) -> str:
        """What is expected, in a few words."""
        word, expected = _(_WORDS[self.case.expectation]), self.case.expected
        is_text = self.case.expectation in {Expectation.CONTAINS, Expectation.TYPE, Expectation.RAISES}
        told = expected if is_text else json.dumps(expected, ensure_ascii=False)
        return word if self.case.expectation == Expectation.RETURNS else f"{word} {told}"

    @property
    def tone(self) -> str:
        tones = {"passed": "ok", "failed": "bad"}
        return "none" if self.stale else tones.get(self.case.status or "", "none")


def case_rows(tool: Tool) -> list[CaseRow]:
    """By name."""
    newest = newest_version(tool.id)
    return [CaseRow(case, case.ran_version != newest) for case in tool.cases.order_by("name")]


def cases_context(tool: Tool | None) -> dict[str, Any]:
    """The cases, and how many passed when they last ran."""
    rows = case_rows(tool) if tool else []
    return {
        "tool": tool,
        "cases": rows,
        "passed_count": sum(row.case.status == "passed" for row in rows),
        "failed_count": sum(row.case.status == "failed" for row in rows),
    }


class CaseForm(forms.Form):
    """A case. ``expected`` is JSON where the result is compared as a whole, else a text."""

    case = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    name = forms.CharField(max_length=LONGEST_NAME)
    arguments = forms.CharField(required=False, strip=False)
    expectation = forms.ChoiceField(choices=Expectation.choices)
    expected = forms.CharField(required=False, strip=False)

    @classmethod
    def of(cls, case: ToolCase) -> Self:
        expected = told_json(case.expected) if case.expectation == Expectation.EQUALS else case.expected
        initial = {"case": case.id, "name": case.name, "expectation": case.expectation, "expected": expected or ""}
        return cls(initial={**initial, "arguments": told_json(case.arguments)})

    @classmethod
    def proposing(cls, arguments: dict[str, Any], outcome: SandboxOutcome) -> Self:
        """A case that ``outcome`` meets, with a name made from the arguments."""
        expectation, expected = proposed(outcome)
        told = told_json(expected) if expectation == Expectation.EQUALS else expected
        name = " ".join(f"{key}={_short(value)}" for key, value in arguments.items())
        name = name if len(name) <= _NAMED_CHARS else f"{name[:_NAMED_CHARS]}…"
        initial = {"name": name or _("no arguments"), "expectation": expectation, "expected": told}
        return cls(initial={**initial, "arguments": told_json(arguments)})

    def clean_arguments(self) -> dict[str, Any]:
        arguments = self._read("arguments", self.cleaned_data["arguments"] or "{}")
        if not isinstance(arguments, dict):
            raise forms.ValidationError(_("Write a JSON object with one entry for each argument."))
        return arguments

    def clean_expected(self) -> Any:
        text = self.cleaned_data["expected"].replace("\r\n", "\n")
        if self.cleaned_data.get("expectation") == Expectation.EQUALS:
            return self._read("expected", text)
        if self.cleaned_data.get("expectation") == Expectation.TYPE and text.strip() not in JSON_TYPES:
            raise forms.ValidationError(_("Name the type: {json_types}.").format(json_types=", ".join(JSON_TYPES)))
        return text.strip() if self.cleaned_data.get("expectation") == Expectation.TYPE else text

    @staticmethod
    def _read(name: str, text: str) -> Any:
        try:
            return read_json(text)
        except ValueError as error:
            hint = " " + _('A text stands in quotes, as in "two rows".') if name == "expected" else ""
            raise forms.ValidationError(f"{error}{hint}") from None

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        return Wanted(data["name"], data["arguments"], data["expectation"], data["expected"])
