"""The cases of all tools, run where no person looks: in CI, or before a release."""

import asyncio
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from agents_core.actions import tool_cases
from agents_core.actions.tool_cases import Ran, Wanted
from agents_core.errors import AgentsError
from agents_core.models import Expectation, Tool, ToolCase
from agents_core.sandbox.base import SandboxUnavailable
from agents_core.tools.execute import close_sandbox
from agents_core.tools.languages import language

_NOTHING_RAN = 2
_NAME_COLUMNS = 60
_FIELDS = ("name", "source_type", "source_code", "pip_requirements")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class _Tried:
    """A tool, as ``tools.run_once`` takes it, with its cases, and once they ran, what each gave. ``of``: the tool in the database."""

    fields: dict[str, Any]
    cases: list[Wanted]
    of: Tool | None = None
    ran: tuple[Ran, ...] = ()

    @property
    def name(self) -> str:
        return str(self.fields["name"])

    def pairs(self) -> Iterator[tuple[Wanted, Ran]]:
        return zip(self.cases, self.ran, strict=True)

    def as_json(self) -> dict[str, Any]:
        cases = [
            {"name": one.name, "arguments": one.arguments, "expectation": one.expectation, "expected": one.expected}
            for one in self.cases
        ]
        return {**self.fields, "cases": cases}


class Command(BaseCommand):
    help = "Runs the cases of tools in the sandbox. Ends with 0 when all pass, 1 when some fail, 2 when none could run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tool", action="append", metavar="NAME", help="only this tool; may be given several times"
        )
        parser.add_argument("--junit", type=Path, metavar="FILE", help="also write the outcomes as JUnit XML")
        parser.add_argument(
            "--from", type=Path, dest="read", metavar="FILE", help="take tools and cases from FILE, not the database"
        )
        parser.add_argument(
            "--export", type=Path, metavar="FILE", help="write tools and cases to FILE, and run nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(_of_file(options["read"]) if options["read"] else _of_database())
        chosen = [one for one in found if one.cases and (not options["tool"] or one.name in options["tool"])]
        missing = set(options["tool"] or ()) - {one.name for one in chosen}
        if missing:
            raise CommandError(f"No cases are kept of: {', '.join(sorted(missing))}.", returncode=_NOTHING_RAN)
        if not chosen:
            raise CommandError("No cases are kept: save some on the page of a tool.", returncode=_NOTHING_RAN)
        if options["export"]:
            _write(
                options["export"], json.dumps([one.as_json() for one in chosen], indent=2, ensure_ascii=False) + "\n"
            )
            return
        started = perf_counter()
        try:
            ran = asyncio.run(_run(chosen))
        except SandboxUnavailable as error:
            raise CommandError(f"No tool can run here: {error.message}", returncode=_NOTHING_RAN) from None
        self._tell(ran, perf_counter() - started)
        if options["junit"]:
            _write(options["junit"], _junit(ran))
        if any(not one.verdict.passed for tool in ran for one in tool.ran):
            raise SystemExit(1)

    def _tell(self, tools: list[_Tried], took_s: float) -> None:
        for tool in tools:
            self.stdout.write(tool.name)
            for case, ran in tool.pairs():
                word = self.style.SUCCESS("ok    ") if ran.verdict.passed else self.style.ERROR("FAILED")
                self.stdout.write(f"  {word}  {case.name:{_NAME_COLUMNS}} {ran.outcome.duration_ms:8,.0f} ms")
                if not ran.verdict.passed:
                    self.stdout.write(f"          expected {_told(case)}\n          got      {ran.verdict.got}")
        failed = sum(not ran.verdict.passed for tool in tools for ran in tool.ran)
        passed = sum(len(tool.ran) for tool in tools) - failed
        self.stdout.write(f"{passed} passed, {failed} failed in {took_s:.2f} s")


def _of_database() -> Iterator[_Tried]:
    """Each tool with source, by name, and its cases by name. Raises ``CommandError`` where there is no database."""
    having = Tool.objects.filter(source_code__isnull=False, cases__isnull=False).distinct().order_by("name")
    try:
        found = list(having)
    except OperationalError as error:
        told = f"The database does not answer ({error}): start the server, set DATABASE_URL, or take the cases --from a file."
        raise CommandError(told, returncode=_NOTHING_RAN) from None
    for tool in found:
        cases = ToolCase.objects.filter(tool=tool).order_by("name")
        wanted = [Wanted(one.name, one.arguments, one.expectation, one.expected) for one in cases]
        yield _Tried({name: getattr(tool, name) for name in _FIELDS}, wanted, tool)


def _of_file(path: Path) -> Iterator[_Tried]:
    """What ``--export`` wrote. Raises ``CommandError`` that says what is wrong with the file."""
    try:
        for one in json.loads(path.read_text(encoding="utf-8")):
            fields = {"name": str(one["name"]), "source_code": str(one["source_code"])}
            fields["source_type"] = language(one.get("source_type")).value
            packages = list(one.get("pip_requirements", []))
            cases = [Wanted(**case).checked() for case in one["cases"]]
            yield _Tried({**fields, "pip_requirements": packages}, cases)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AgentsError) as error:
        told = f"{path} holds no tools as --export writes them: {type(error).__name__}: {error}"
        raise CommandError(told, returncode=_NOTHING_RAN) from None


async def _run(tools: Iterable[_Tried]) -> list[_Tried]:
    try:
        return [replace(one, ran=tuple(await tool_cases.run_all(one.cases, one.fields, one.of))) for one in tools]
    finally:
        await close_sandbox()


def _told(case: Wanted) -> str:
    label = str(Expectation(case.expectation).label)
    return (
        label if case.expectation == Expectation.RETURNS else f"{label} {json.dumps(case.expected, ensure_ascii=False)}"
    )


def _junit(tools: list[_Tried]) -> str:
    root = ElementTree.Element("testsuites")
    for tool in tools:
        failed = sum(not ran.verdict.passed for ran in tool.ran)
        suite = ElementTree.SubElement(
            root, "testsuite", name=tool.name, tests=str(len(tool.ran)), failures=str(failed)
        )
        for case, ran in tool.pairs():
            took = f"{ran.outcome.duration_ms / 1000:.3f}"
            node = ElementTree.SubElement(suite, "testcase", classname=tool.name, name=case.name, time=took)
            if not ran.verdict.passed:
                ElementTree.SubElement(node, "failure", message=f"expected: {_told(case)}").text = _NOT_XML.sub(
                    "�", ran.verdict.got
                )
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=_NOTHING_RAN) from None
