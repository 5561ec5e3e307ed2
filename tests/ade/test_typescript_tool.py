"""A TypeScript tool on its page, as a browser asks for its parts."""

import shutil

import pytest

from agents_core.models import Tool
from tests.ade.test_tool_page import Site, saved, site, text_of, version

__all__ = ["site"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js"),
]

SOURCE = """/**
 * Greets somebody.
 * @param name Whom.
 * @param times How often.
 */
export function greetIn(name: string, times: number = 1): { said: string } {
  if (times > 5) throw new RangeError("too often");
  console.log("greeting");
  return { said: `Hello, ${name}! `.repeat(times) };
}
"""
LANGUAGE = {"source_type": "typescript"}


async def test_a_new_tool_can_be_begun_in_typescript(site: Site) -> None:
    page = await site.get("/tools/new", language="typescript")
    assert page.get_element_by_id("source").get("data-editor") == "typescript"
    assert text_of(page, "tool-problems") == ""
    assert text_of(page, "tool-facts").startswith("TypeScript 5.")
    assert text_of(page, "tool-inputs").startswith("topic string*")
    [current] = page.cssselect("#tool-head .segmented [aria-current]")
    assert current.text_content() == "TypeScript"
    await site.get("/tools/new", language="cobol")
    assert site.status == 400


async def test_problems_and_the_schema_are_told_as_one_types(site: Site) -> None:
    parts = await site.post("/tools/read", source=SOURCE.replace("name: string", "name: Date"), **LANGUAGE)
    assert "error, line 6 Type `Date` cannot be told to a model" in text_of(parts, "tool-problems")
    parts = await site.post("/tools/read", source=SOURCE, **LANGUAGE)
    assert '"times": { "type": "number", "default": 1, "description": "How often." }' in text_of(parts, "tool-schema")


async def test_a_run_shows_the_result_and_a_failure_its_lines_as_links(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE, **LANGUAGE, **{"arg.name": "Bo"})
    assert text_of(parts, "tool-value") == '{"said": "Hello, Bo! "}'
    assert text_of(parts, "stdout-panel") == "greeting"
    parts = await site.post("/tools/run", source=SOURCE, **LANGUAGE, **{"arg.name": "Bo", "arg.times": "6"})
    assert "RangeError: too often (line 7)" in text_of(parts, "tool-value")
    assert [link.get("data-goto-line") for link in parts.xpath("//*[@id='tool-value']//button")] == ["7"]


async def test_stepping_is_refused_in_a_sentence(site: Site) -> None:
    parts = await site.post("/tools/run", source=SOURCE, record="1", **LANGUAGE, **{"arg.name": "Bo"})
    assert "Only Python tools can be stepped through" in text_of(parts, "tool-result")
    page = await site.get("/tools/new", language="typescript")
    assert page.get_element_by_id("tool-debug").get("disabled") is not None


async def test_a_saved_tool_keeps_its_language(site: Site) -> None:
    await site.post("/tools/save", source=SOURCE, **LANGUAGE)
    tool = await Tool.objects.aget(name="greetIn")
    assert (tool.source_type, tool.source_code) == ("typescript", SOURCE)
    page = await site.get(f"/tools/{tool.id}")
    assert page.get_element_by_id("source").get("data-editor") == "typescript"
    assert text_of(page, "tool-state") == "saved"
    assert page.xpath("//*[@id='tool-packages']") == []
    refused = await site.post("/tools/save", source="def greetIn():\n    '''Do.'''\n", **version(tool))
    assert "is written in typescript, and stays so" in text_of(refused, "tool-notice")


async def test_its_cases_run_and_a_call_that_breaks_it_is_found(site: Site) -> None:
    tool = await saved(SOURCE, **LANGUAGE)
    case = {
        "name": "once",
        "arguments": '{"name": "Bo"}',
        "expectation": "equals",
        "expected": '{"said": "Hello, Bo! "}',
    }
    await site.post(f"/tools/{tool.id}/cases", **case)
    [kept] = [one async for one in tool.cases.all()]
    ran = await site.post(f"/tools/{tool.id}/cases/{kept.id}/run", source=SOURCE, **LANGUAGE)
    assert ran.get_element_by_id(f"case-{kept.id}").get("data-tone") == "ok"
    await kept.arefresh_from_db()
    assert (kept.status, kept.ran_version) == ("passed", 1)
    found = await site.post("/tools/probe", source=SOURCE, **LANGUAGE, **version(tool))
    assert "RangeError: Invalid count value" in text_of(found, "tool-probe")
