"""Tool rules as pages tell them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.tools.rules import Rule, sentences

_UNTOLD: Mapping[str, str] = {
    "requires_approval": gettext_noop("Each call of {} waits for a person."),
    "required_before_exit": gettext_noop("The turn may not end before {} was called."),
}
"""The rules that the model is not told."""


@dataclass(frozen=True, slots=True)
class RuleView:
    """A tool rule in words. ``key`` names it when it is taken away; ``mark`` is a short form of it, for addresses and ids."""

    rule: Rule
    words: str
    key: str

    @property
    def mark(self) -> str:
        return sha256(self.key.encode()).hexdigest()[:10]


def rule_views(rules: Sequence[Rule]) -> list[RuleView]:
    return [RuleView(rule, _rule_words(rule), rule_key(rule)) for rule in rules]


def rule_key(rule: Rule) -> str:
    return json.dumps(rule, sort_keys=True)


def _rule_words(rule: Rule) -> str:
    if untold := _UNTOLD.get(rule["type"]):
        return _(untold).format(rule["tool_name"])
    return "".join(sentences([rule])) or rule_key(rule)
