"""Mock inputs: a form made from a tool's parameters, what a person typed in it, and the arguments it means.

Each parameter ``x`` is sent as ``arg.x`` (its text), ``was.x`` (the text it was drawn with, so that what a person changed can
be told from what was made up) and, when it may be left out, ``with.x``. ``raw`` holds all of them as one JSON object instead.
``kept`` carries what was typed for parameters that are gone at the moment: they come back while a signature is being edited.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.actions.tool_cases import JSON_TYPES, is_of_type
from agents_core.errors import InvalidInput
from agents_core.tools.schema import mock_arguments

Kind = Literal["text", "integer", "number", "boolean", "choice", "json"]

_KEPT = 50
_WANTED = {
    "string": gettext_noop("text"),
    "integer": gettext_noop("a whole number, such as 3"),
    "number": gettext_noop("a number, such as 1.5"),
    "boolean": gettext_noop("true or false"),
    "array": gettext_noop('a JSON list, such as ["a", "b"]'),
    "object": gettext_noop('a JSON object, such as {"a": 1}'),
}
_SHORT = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict"}


@dataclass(slots=True)
class Input:
    """One parameter. ``mock`` is the text made up for it, ``text`` what is shown."""

    name: str
    kind: Kind
    type_name: str
    schema: dict[str, Any]
    required: bool
    mock: str
    text: str
    sent: bool = True
    error: str = ""

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def choices(self) -> list[str]:
        return [_text(value) for value in self.schema.get("enum", [])]

    def value(self) -> Any:
        """Raises ``ValueError``, whose message says what to write."""
        value = self._read()
        if wrong := _wrong(value, self.schema):
            raise ValueError(wrong)
        return value

    def _read(self) -> Any:
        if self.kind == "text":
            return self.text
        if self.kind == "choice":
            return next((value for value in self.schema["enum"] if _text(value) == self.text), self.text)
        if self.kind == "integer":
            return int(self.text) if re.fullmatch(r"\s*-?[0-9]{1,4000}\s*", self.text) else self.text
        if self.kind == "number":
            return _number(self.text)
        return read_json(self.text)


@dataclass(slots=True)
class Inputs:
    """The form. ``raw`` is the JSON text where a person chose to write JSON, else None."""

    fields: list[Input]
    raw: str | None = None
    raw_error: str = ""
    typed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Mapping[str, Any], arguments: Mapping[str, Any] | None = None) -> Self:
        """Filled with ``arguments``, those that are not given left out; with made-up ones without any."""
        mocks, required = mock_arguments(dict(parameters)), parameters.get("required", [])
        given = mocks if arguments is None else arguments
        return cls(
            [
                Input(
                    name,
                    _kind(schema),
                    _type_name(schema),
                    schema,
                    name in required,
                    mock=_text(mocks.get(name)),
                    text=_text(given.get(name, mocks.get(name))),
                    sent=name in required or name in given,
                )
                for name, schema in _properties(parameters).items()
            ]
        )

    @classmethod
    def of_post(cls, parameters: Mapping[str, Any], post: Mapping[str, str]) -> Self:
        """As it was sent, on the ``parameters`` of now: what was typed stays, the rest is made up anew."""
        if "raw" in post:
            inputs = cls.of(parameters)
            inputs.raw = post["raw"]
            return inputs
        inputs = cls.of(parameters)
        inputs.typed = dict(list({**_kept(post), **_changed(post)}.items())[-_KEPT:])
        for one in inputs.fields:
            one.text = inputs.typed.get(one.name, one.text)
            one.sent = one.required or f"was.{one.name}" not in post or f"with.{one.name}" in post
        return inputs

    @property
    def kept(self) -> str:
        """``typed`` as the form carries it."""
        return json.dumps(self.typed, ensure_ascii=False)

    def arguments(self) -> dict[str, Any] | None:
        """The arguments meant; None where something is wrong, which then stands at its field."""
        return self._of_fields() if self.raw is None else self._of_raw(self.raw)

    def meant(self) -> dict[str, Any]:
        """As ``arguments``. Raises ``InvalidInput`` that tells of the first thing that is wrong."""
        found = self.arguments()
        if found is None:
            wrong = next((f"{one.name}: {one.error}" for one in self.fields if one.error), self.raw_error)
            raise InvalidInput(_("The mock inputs are not right yet. {wrong}").format(wrong=wrong))
        return found

    def _of_fields(self) -> dict[str, Any] | None:
        found = {}
        for one in self.fields:
            if one.sent:
                try:
                    found[one.name] = one.value()
                except ValueError as error:
                    one.error = str(error)
        return None if any(one.error for one in self.fields) else found

    def _of_raw(self, raw: str) -> dict[str, Any] | None:
        try:
            found = read_json(raw or "{}")
            self.raw_error = _trouble(found, self.fields)
        except ValueError as error:
            self.raw_error = str(error)
        return None if self.raw_error else found

    def as_raw(self) -> Self:
        """The same inputs as one JSON text; unchanged where a field is wrong."""
        if self.raw is None and (arguments := self.arguments()) is not None:
            self.raw = json.dumps(arguments, indent=2, ensure_ascii=False)
        return self

    def as_form(self, parameters: Mapping[str, Any]) -> "Inputs":
        """The same inputs as fields; unchanged where the JSON is wrong."""
        if self.raw is None:
            return self
        arguments = self.arguments()
        return self if arguments is None else Inputs.of(parameters, arguments)


def _trouble(arguments: Any, fields: list[Input]) -> str:
    if not isinstance(arguments, dict):
        return _("Write a JSON object with one entry for each argument.")
    known = {one.name: one for one in fields}
    missing = [one.name for one in fields if one.required and one.name not in arguments]
    unknown = [name for name in arguments if name not in known]
    wrong = [
        f"{name}: {text}"
        for name, one in known.items()
        if name in arguments and (text := _wrong(arguments[name], one.schema))
    ]
    told = [_("Missing: {missing}.").format(missing=", ".join(missing))] if missing else []
    if unknown:
        taken = ", ".join(known) or _("nothing")
        told.append(_("Unknown: {unknown}. The tool takes: {taken}.").format(unknown=", ".join(unknown), taken=taken))
    return " ".join([*told, *wrong])


def _properties(parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = parameters.get("properties")
    return {name: _plain(schema) for name, schema in found.items()} if isinstance(found, dict) else {}


def _plain(schema: Any) -> dict[str, Any]:
    """The schema without the null that an optional parameter may be."""
    if not isinstance(schema, dict):
        return {}
    kinds = schema.get("type")
    if isinstance(kinds, list):
        own = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": own[0]} if len(own) == 1 else {**schema, "type": None}
    branches = [one for one in schema.get("anyOf", []) if isinstance(one, dict) and one.get("type") != "null"]
    return {**schema, **branches[0], "anyOf": []} if len(branches) == 1 else schema


def _kind(schema: Mapping[str, Any]) -> Kind:
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return "choice"
    kinds: dict[Any, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
    return kinds.get(schema.get("type"), "json")


def _type_name(schema: Mapping[str, Any]) -> str:
    return _SHORT.get(str(schema.get("type")), "json")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def read_json(text: str) -> Any:
    """Raises ``ValueError``, whose message says where the text is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            _("This is not JSON: {what} at line {lineno}, column {colno}.").format(
                what=error.msg.lower(), lineno=error.lineno, colno=error.colno
            )
        ) from None
    except (ValueError, RecursionError):
        raise ValueError(_("This JSON is too deep or holds a number that is too long.")) from None


def _wrong(value: Any, schema: Mapping[str, Any]) -> str:
    """What is wrong with the value itself; what lies within lists and objects is the tool's to check."""
    if isinstance(schema.get("enum"), list):
        choices = ", ".join(_text(one) for one in schema["enum"])
        return "" if value in schema["enum"] else _("Choose one of: {choices}.").format(choices=choices)
    wanted = schema.get("type")
    if wanted not in JSON_TYPES:
        return ""
    return (
        ""
        if is_of_type(value, wanted)
        else _("Write {wanted}.").format(wanted=_(_WANTED[wanted]) if wanted in _WANTED else wanted)
    )


def _kept(post: Mapping[str, str]) -> dict[str, str]:
    """What was typed for parameters that the form does not show now."""
    try:
        kept = json.loads(post.get("kept", "{}"))
    except ValueError:
        return {}
    texts = kept.items() if isinstance(kept, dict) else ()
    return {str(name): str(text) for name, text in texts if f"arg.{name}" not in post}


def _changed(post: Mapping[str, str]) -> dict[str, str]:
    """Browsers send line ends as CR LF."""
    names = [key.removeprefix("arg.") for key in post if key.startswith("arg.")]
    texts = {name: post[f"arg.{name}"].replace("\r\n", "\n") for name in names}
    return {name: text for name, text in texts.items() if text != post.get(f"was.{name}", "").replace("\r\n", "\n")}
