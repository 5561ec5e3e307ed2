"""``manage.py test_tools``: the cases where no person looks."""

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from agents_core.actions import tool_cases, tools
from agents_core.actions.tool_cases import Wanted
from agents_core.models import Tool, ToolCase

SOURCE = '''def double(text: str) -> str:
    """Doubles.

    Args:
        text: what
    """
    return text * 2
'''


def make(name: str, *cases: Wanted) -> None:
    tool = tools.upsert({"source_code": SOURCE.replace("double", name)})
    for case in cases:
        tool_cases.save(tool.id, case)


def run(*arguments: str) -> tuple[int, str]:
    """The exit status, and what was printed."""
    printed = StringIO()
    try:
        call_command("test_tools", *arguments, stdout=printed)
    except SystemExit as end:
        return int(end.code or 0), printed.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, printed.getvalue()


GOOD = Wanted("doubles", {"text": "ab"}, "equals", "abab")
BAD = Wanted("shouts", {"text": "a\x1b"}, "equals", "A")


@pytest.mark.django_db
def test_the_exit_status_says_whether_all_passed_and_the_output_which_did_not() -> None:
    make("double", GOOD)
    make("twice", GOOD, BAD)
    status, printed = run()
    assert status == 1
    assert printed.index("double") < printed.index("twice")
    assert 'expected returns exactly "A"\n          got      a\x1ba\x1b' in printed
    assert "2 passed, 1 failed in" in printed
    status, printed = run("--tool", "double")
    assert (status, "1 passed, 0 failed" in printed, "twice" in printed) == (0, True, False)


@pytest.mark.django_db
def test_a_run_without_cases_is_no_success() -> None:
    make("double")
    assert run() == (2, "No cases are kept: save some on the page of a tool.")
    assert run("--tool", "double", "--tool", "gone") == (2, "No cases are kept of: double, gone.")


@pytest.mark.django_db
def test_the_outcomes_are_written_as_junit(tmp_path: Path) -> None:
    make("twice", GOOD, BAD)
    assert run("--junit", str(tmp_path / "out.xml"))[0] == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("twice", "2", "1")
    assert [case.get("name") for case in suite.findall("testcase/failure/..")] == ["shouts"]
    assert suite.findtext("testcase/failure") == "a\N{REPLACEMENT CHARACTER}a\N{REPLACEMENT CHARACTER}"


@pytest.mark.django_db
def test_what_was_exported_runs_without_the_database(tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    make("double", GOOD)
    assert run("--export", str(file)) == (0, "")
    Tool.objects.filter(name="double").delete()
    assert not ToolCase.objects.exists()
    status, printed = run("--from", str(file))
    assert (status, "1 passed" in printed) == (0, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}x",
        "[1]",
        '[{"name": "a"}]',
        json.dumps([{"name": "a", "source_code": "", "cases": [{"name": "", "x": 1}]}]),
    ],
)
def test_a_file_that_holds_no_tools_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tools.json").write_text(text)
    status, told = run("--from", str(tmp_path / "tools.json"))
    assert status == 2
    assert "holds no tools as --export writes them" in told
