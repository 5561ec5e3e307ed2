"""Tools over HTTP."""

import json
import shutil
from typing import Any

import pytest

from tests.api.conftest import Agents, Api

ADD = '''
def add(a: int, b: int = 2) -> int:
    """Adds two numbers.

    Args:
        a: the first
        b: the second
    """
    print("adding")
    return a + b
'''


async def test_a_tool_is_made_from_its_source_and_made_again_in_place(api: Api) -> None:
    tool = await api.post("/tools/", {"source_code": ADD, "tags": ["maths"]})
    assert (tool["name"], tool["tool_type"], tool["return_char_limit"]) == ("add", "custom", 50_000)
    assert set(tool["json_schema"]["parameters"]["properties"]) == {"a", "b"}
    again = await api.call("PUT", "/tools/", {"source_code": ADD.replace("Adds", "Sums"), "description": "Mine"})
    assert (again[1]["id"], again[1]["description"], again[1]["tags"]) == (tool["id"], "Mine", ["maths"])


async def test_tools_are_found_by_name_type_and_text(api: Api) -> None:
    tool = await api.post("/tools/", {"source_code": ADD})
    assert [each["id"] for each in await api.get("/tools/", name="add")] == [tool["id"]]
    assert [each["id"] for each in await api.get("/tools/", tool_types=["custom"])] == [tool["id"]]
    assert [each["id"] for each in await api.get("/tools/", tool_types="custom,external_mcp")] == [tool["id"]]
    assert tool["id"] not in [each["id"] for each in await api.get("/tools/", return_only_letta_tools=True)]
    assert (await api.post("/tools/search", {"query": "ADDS two"}))[0]["tool"]["id"] == tool["id"]


async def test_a_tool_is_attached_run_and_detached(api: Api, make_agent: Agents) -> None:
    tool = await api.post("/tools/", {"source_code": ADD})
    agent = await make_agent(include_base_tools=False)
    path = f"/agents/{agent['id']}/tools"
    attached = await api.patch(f"{path}/attach/{tool['id']}")
    assert [each["name"] for each in attached["tools"]] == ["add"]
    assert (await api.patch(f"{path}/approval/add", {"requires_approval": False}))["tool_rules"] == []
    asked = await api.patch(f"{path}/approval/add", {"requires_approval": True})
    assert asked["tool_rules"] == [{"type": "requires_approval", "tool_name": "add"}]
    assert [each["id"] for each in await api.get(path)] == [tool["id"]]
    assert await api.get(path, after=tool["id"]) == []
    assert (await api.patch(f"{path}/detach/{tool['id']}"))["tools"] == []
    assert (await api.call("PATCH", f"{path}/detach/{tool['id']}"))[0] == 404
    assert (await api.call("POST", f"{path}/add/run", {"args": {}}))[0] == 404


async def test_a_change_of_a_tool_reaches_its_schema_and_a_taken_name_is_refused(api: Api) -> None:
    tool = await api.post("/tools/", {"source_code": ADD})
    await api.post("/tools/", {"source_code": ADD.replace("add(", "other(")})
    path = f"/tools/{tool['id']}"
    changed = await api.patch(path, {"source_code": ADD.replace("add(", "plus("), "unknown": 1, "metadata_": {"x": 1}})
    assert (changed["name"], changed["json_schema"]["name"], changed["metadata_"]) == ("plus", "plus", {"x": 1})
    assert (await api.call("PATCH", path, {"source_code": ADD.replace("add(", "other(")}))[0] == 400
    assert (await api.get(path))["name"] == "plus"
    assert await api.delete(path) is None
    assert (await api.call("DELETE", path))[0] == 400
    assert (await api.call("GET", path))[0] == 404


async def test_tools_of_the_product_stay_as_they_are(api: Api) -> None:
    [tool] = await api.get("/tools/", name="send_message")
    source = ADD.replace("add(", "send_message(")
    for method, path, body in (
        ("POST", "/tools/", {"source_code": source}),
        ("PATCH", f"/tools/{tool['id']}", {"source_code": source}),
        ("DELETE", f"/tools/{tool['id']}", None),
    ):
        status, answer = await api.call(method, path, body)
        assert (status, "part of the product" in answer["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"source_code": "x = 1"}, 400),
        ({"source_code": "def f(:"}, 400),
        ({"source_code": ADD, "surprise": 1}, 422),
        ({"source_code": ADD, "return_char_limit": 0}, 422),
        ({"source_code": ADD.replace("add(", "a" * 49 + "(")}, 400),
        ({"source_code": "const x = 1", "source_type": "typescript"}, 400),
    ],
)
async def test_a_malformed_tool_is_refused(api: Api, body: Any, status: int) -> None:
    answered, answer = await api.call("POST", "/tools/", body)
    assert (answered, isinstance(answer["detail"], str)) == (status, True)


NOTE = '''
import os
def note(text: str, agent_state) -> str:
    """Add to what is known.

    Args:
        text: What.
    """
    block = agent_state.memory.get_block("human")
    block.value += text
    return f"{agent_state.name}: {os.environ['TOKEN']}"
'''
FORGED = '''
import os
def forge() -> None:
    """Write the report."""
    os.write(3, b'{"value": 1, "blocks": {"nobody": "x"}}')
    os._exit(0)
'''


async def test_a_tool_that_is_run_for_an_agent_has_its_secrets_and_may_change_its_memory(
    api: Api, make_agent: Agents
) -> None:
    tools = [await api.post("/tools/", {"source_code": source}) for source in (NOTE, FORGED)]
    human = {"label": "human", "value": "Ada.", "limit": 10}
    ids = [tool["id"] for tool in tools]
    agent = await make_agent(tool_ids=ids, memory_blocks=[human], secrets={"TOKEN": "hunter22-hunter22"}, name="Eve")
    path = f"/agents/{agent['id']}"
    ran = await api.post(f"{path}/tools/note/run", {"args": {"text": " Tea."}})
    assert (ran["status"], ran["func_return"]) == ("success", "Eve: ••••")
    assert (await api.get(f"{path}/core-memory/blocks/human"))["value"] == "Ada. Tea."
    status, refused = await api.call("POST", f"{path}/tools/note/run", {"args": {"text": " And cake."}})
    assert (status, "Exceeds 10 character limit" in str(refused)) == (422, True)
    assert (await api.post(f"{path}/tools/forge/run", {"args": {}}))["func_return"] == 1
    assert (await api.get(f"{path}/core-memory/blocks/human"))["value"] == "Ada. Tea."


@pytest.mark.parametrize(
    "fields",
    [
        {"pip_requirements": [{"name": "--index-url=http://x"}]},
        {"pip_requirements": [{"name": "a", "version": "1; print()"}]},
        {"pip_requirements": [{"name": f"p{number}"} for number in range(51)]},
    ],
)
async def test_requirements_that_are_none_are_refused(api: Api, fields: dict[str, Any]) -> None:
    assert (await api.call("POST", "/tools/", {"source_code": ADD, **fields}))[0] == 400
    assert (await api.call("POST", "/tools/run", {"source_code": ADD, "args": {"a": 1}, **fields}))[0] == 400
    assert await api.get("/tools/", name="add") == []


async def test_a_variable_that_no_environment_can_hold_is_refused(api: Api) -> None:
    for env in ({"A=B": "x"}, {"A": "x" * 40_000}):
        body = {"source_code": ADD, "args": {"a": 1}, "env_vars": env}
        assert (await api.call("POST", "/tools/run", body))[0] == 400


async def test_the_hosts_that_a_tool_may_reach_are_set_and_told(api: Api) -> None:
    tool = await api.post("/tools/", {"source_code": ADD, "hosts": ["API.example.com.", "*.example.org"]})
    assert tool["hosts"] == ["*.example.org", "api.example.com"]
    path = f"/tools/{tool['id']}"
    assert (await api.call("PATCH", path, {"hosts": ["http://example.com"]}))[0] == 400
    assert (await api.call("PATCH", path, {"hosts": []}))[1]["hosts"] == []


ARCHIVIST = '''
import os
def keep(client, agent_id: str) -> list:
    """Keeps."""
    texts = [one.text for one in client.agents.passages.list(agent_id)]
    client.agents.passages.create(agent_id, text="Second.", tags=["x"])
    client.agents.blocks.update("human", value="Eve.")
    return [texts, os.environ["LETTA_AGENT_ID"]]
'''


async def test_a_source_that_is_tried_for_an_agent_reads_its_memory_and_writes_nothing(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada."}])
    path = f"/agents/{agent['id']}"
    await api.post(f"{path}/archival-memory", {"text": "First."})
    body = {"source_code": ARCHIVIST, "args": {}}
    tried = await api.post("/tools/run", {**body, "agent_id": agent["id"]})
    assert json.loads(tried["tool_return"]) == [["First."], agent["id"]]
    assert [one["text"] for one in await api.get(f"{path}/archival-memory")] == ["First."]
    assert (await api.get(f"{path}/core-memory/blocks/human"))["value"] == "Ada."
    status, _ = await api.call("POST", "/tools/run", {**body, "agent_id": agent["id"][:-4] + "0000"})
    assert status == 404
    tool = await api.post("/tools/", {"source_code": ARCHIVIST})
    await api.patch(f"{path}/tools/attach/{tool['id']}")
    await api.post(f"{path}/tools/keep/run", {"args": {}})
    kept = {one["text"]: one["tags"] for one in await api.get(f"{path}/archival-memory")}
    assert kept == {"First.": [], "Second.": ["x"]}


TYPED = """/** Adds. @param a One. @param b Other. */
export async function addTyped(a: number, b: number = 2): Promise<number> {
  console.log(process.env.WORD);
  return a + b;
}
"""
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


@needs_node
async def test_a_typescript_tool_is_made_tried_and_run_for_an_agent(api: Api, make_agent: Agents) -> None:
    body = {"source_code": TYPED, "source_type": "typescript"}
    tool = await api.post("/tools/", body)
    assert (tool["name"], tool["source_type"], tool["description"]) == ("addTyped", "typescript", "Adds.")
    assert tool["json_schema"]["parameters"]["required"] == ["a"]
    tried = await api.post("/tools/run", {**body, "args": {"a": 3}, "env_vars": {"WORD": "tea"}})
    assert (tried["tool_return"], tried["stdout"]) == ("5", ["tea"])
    agent = await make_agent(tool_ids=[tool["id"]], secrets={"WORD": "hunter22-hunter22"})
    ran = await api.post(f"/agents/{agent['id']}/tools/addTyped/run", {"args": {"b": 1, "a": 1}})
    assert (ran["status"], ran["func_return"], ran["stdout"]) == ("success", 2, ["••••"])


@needs_node
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source_type": "cobol"}, "The source_type is python or typescript, not 'cobol'."),
        ({"pip_requirements": [{"name": "requests"}]}, "pip_requirements are Python's"),
        ({"npm_requirements": [{"name": "axios"}]}, "npm packages cannot be installed"),
        ({"source_code": TYPED.replace("a: number", "a: Date")}, "Line 2: Type `Date` cannot be told to a model"),
    ],
)
async def test_what_a_typescript_tool_cannot_have_is_refused_in_a_sentence(
    api: Api, fields: dict[str, Any], words: str
) -> None:
    body = {"source_code": TYPED, "source_type": "typescript", **fields}
    status, answer = await api.call("POST", "/tools/", body)
    assert (status, words in answer["detail"]) == (400, True), answer


@needs_node
async def test_a_tool_stays_in_its_language(api: Api) -> None:
    tool = await api.post("/tools/", {"source_code": ADD})
    typed = {"source_code": TYPED.replace("addTyped", "add"), "source_type": "typescript"}
    for method, path in (("PUT", "/tools/"), ("PATCH", f"/tools/{tool['id']}")):
        status, answer = await api.call(method, path, typed)
        assert (status, "is written in python, and stays so" in answer["detail"]) == (400, True)
