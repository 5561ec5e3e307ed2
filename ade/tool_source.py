"""A tool's source as it stands in the editor: what can be made out of it, and what a run of it gave."""

import json
import re
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ade.tool_lint import lint
from agents_core.actions.tool_environment import packages_of
from agents_core.models import Tool
from agents_core.runtime.transcript import packed_return
from agents_core.sandbox.base import SandboxOutcome
from agents_core.tools.environment import modules_in
from agents_core.tools.execute import result_of
from agents_core.tools.languages import Language, derive
from agents_core.tools.requirements import BadRequirement
from agents_core.tools.schema import Problem, ToolSchema
from agents_core.tools.typescript.reading import VERSION

LONGEST_SOURCE = 200_000
"""Characters. Longer sources are not read at every keystroke."""
MODULES = sorted(name for name in sys.stdlib_module_names if not name.startswith("_"))
"""What a tool can import without any requirement: offered while it is written."""
_SHOWN_PROBLEMS = 100
_LINE = 88
_DEEPEST = 40
_FRAME = re.compile(r'^\s*(?:File "[^"]*", line (\d+)|at .* \(tool\.ts:(\d+)\)$)')

NEW_PYTHON = '''def my_tool(topic: str, count: int = 3) -> list[str]:
    """Say in one line what the tool does: the agent decides by it when to call.

    Args:
        topic: What each argument means, so that the agent can fill it in.
        count: An argument with a default may be left out.
    """
    print("Printed text is shown here and in the trace, but not to the agent.")
    return [f"{topic} {number}" for number in range(1, count + 1)]
'''


NEW_TYPESCRIPT = """/**
 * Say in one line what the tool does: the agent decides by it when to call.
 *
 * @param topic What each argument means, so that the agent can fill it in.
 * @param count An argument with a default may be left out.
 */
export async function my_tool(topic: string, count: number = 3): Promise<string[]> {
  console.log("Printed text is shown here and in the trace, but not to the agent.");
  return Array.from({ length: count }, (_, index) => `${topic} ${index + 1}`);
}
"""
NEW_SOURCES = {Language.PYTHON: NEW_PYTHON, Language.TYPESCRIPT: NEW_TYPESCRIPT}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made out of a source. ``name`` is empty when there is no function; ``parameters`` is a JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    injected: tuple[str, ...] = ()
    note: str = ""
    language: Language = Language.PYTHON

    def linted(self, source: str) -> "Reading":
        """The same, with what ruff says of ``source``, whose reading it is, among the warnings: it knows Python only."""
        if len(source) > LONGEST_SOURCE or self.language is not Language.PYTHON:
            return self
        return replace(self, warnings=tuple(sorted({*self.warnings, *lint(source)})))

    @property
    def told(self) -> str:
        """The JSON Schema as the model gets it."""
        told = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return json.dumps(told, indent=2, ensure_ascii=False)

    @property
    def marks(self) -> list[dict[str, Any]]:
        """Problems, then warnings, as the editor takes them; the first hundred."""
        all_of = [(problem, "error") for problem in self.problems] + [(warning, "warning") for warning in self.warnings]
        return [
            {"line": one.line, "column": one.column, "message": one.message, "severity": severity}
            for one, severity in all_of[:_SHOWN_PROBLEMS]
        ]

    @property
    def marks_json(self) -> str:
        return json.dumps(self.marks)

    @property
    def language_told(self) -> str:
        """The language and its version."""
        if self.language is Language.TYPESCRIPT:
            return f"TypeScript {VERSION}"
        return f"Python {sys.version_info.major}.{sys.version_info.minor}"

    @property
    def verdict(self) -> str:
        """ "2 problems · 1 warning", or nothing."""
        problems, warnings = len(self.problems), len(self.warnings)
        told = [
            *([ngettext("{count} problem", "{count} problems", problems).format(count=problems)] if problems else []),
            *([ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings)] if warnings else []),
        ]
        return " · ".join(told)


def read_source(source: str, tool: Tool | None = None, written_in: Language = Language.PYTHON) -> Reading:
    """The reading of ``source``, which is ``tool``'s or is to replace it."""
    if len(source) > LONGEST_SOURCE:
        problem = _("The source has {count:,} characters; a tool may have {most:,}.").format(
            count=len(source), most=LONGEST_SOURCE
        )
        return Reading("", "", {}, (Problem(1, 0, problem),), language=written_in)
    schema = derive(source, written_in, _modules(tool))
    parameters, note = _given(schema, tool)
    problems, warnings = tuple(schema.problems), tuple(sorted(schema.warnings))
    return Reading(schema.name, schema.description, parameters, problems, warnings, schema.injected, note, written_in)


def _modules(tool: Tool | None) -> frozenset[str]:
    """What the packages of the tool can be imported as; nothing of those that are not installed."""
    try:
        return modules_in(str(packages_of(tool).folder)) if tool and tool.pip_requirements else frozenset()
    except BadRequirement:
        return frozenset()


def _given(schema: ToolSchema, tool: Tool | None) -> tuple[dict[str, Any], str]:
    if tool is None or not tool.args_json_schema:
        return schema.parameters, ""
    return (
        tool.args_json_schema,
        _("The tool's author gave the parameters as a JSON Schema; they do not follow the source."),
    )


def stored_reading(tool: Tool) -> Reading:
    """The reading of a tool that has no source here."""
    return Reading(tool.name, tool.description or "", tool.json_schema.get("parameters", {}))


def _pretty(value: Any, margin: str = "") -> str:
    """JSON with whatever fits on a line on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + len(margin) <= _LINE or not isinstance(value, dict | list) or len(margin) > _DEEPEST:
        return line
    inner = f"{margin}  "
    if isinstance(value, list):
        parts, (opening, closing) = [f"{inner}{_pretty(one, inner)}" for one in value], "[]"
    else:
        pairs = ((json.dumps(key, ensure_ascii=False), one) for key, one in value.items())
        parts, (opening, closing) = [f"{inner}{key}: {_pretty(one, inner)}" for key, one in pairs], "{}"
    return "\n".join([opening, ",\n".join(parts), f"{margin}{closing}"])


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a traceback; ``number`` is the line of the source it names."""

    text: str
    number: int | None = None

    @property
    def link(self) -> str:
        return self.text.lstrip()

    @property
    def indent(self) -> str:
        return self.text[: -len(self.link)]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a run with mock inputs gave."""

    name: str
    outcome: SandboxOutcome
    return_char_limit: int
    recorded: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome.status == "ok"

    @property
    def word(self) -> str:
        words = {
            "ok": _("ok"),
            "error": _("failed"),
            "timeout": _("stopped: out of time"),
            "killed": _("stopped: over a limit"),
        }
        return words[self.outcome.status]

    @property
    def value(self) -> str:
        value = self.outcome.value
        return value if isinstance(value, str) else _pretty(value)

    @property
    def megabytes(self) -> int:
        return round(self.outcome.peak_memory_bytes / 2**20)

    @property
    def traceback(self) -> list[Line]:
        lines = self.outcome.traceback.splitlines()
        return [Line(line, int(found[1] or found[2]) if (found := _FRAME.match(line)) else None) for line in lines]

    @property
    def steps_json(self) -> str:
        """The recording, as stepper.js takes it."""
        return json.dumps([asdict(step) for step in self.outcome.steps], ensure_ascii=False)

    @property
    def last_step(self) -> int:
        return max(0, len(self.outcome.steps) - 1)

    @property
    def steps_cut(self) -> bool:
        """Whether the call went on after the last step: it neither returned nor raised from its first function there."""
        steps = self.outcome.steps
        return bool(steps) and (steps[-1].depth > 1 or steps[-1].event == "line")

    @property
    def printed_lines(self) -> int:
        return len(self.outcome.stdout.splitlines())

    @property
    def seen(self) -> str:
        """The tool's result as it stands in the request to the model, in UTC and as of now."""
        result = result_of(self.name, self.outcome, self.return_char_limit)
        return packed_return(result.status, result.text, datetime.now(UTC), ZoneInfo("UTC"))
