"""Tools over HTTP."""

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
