import pytest

from agents_core.tools.requirements import BadRequirement, requirement, requirements_of, stored_requirements


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("requests", "requests"),
        (" Foo_Bar.baz ", "foo-bar-baz"),
        ("httpx [Socks, http2] >=0.27 , <1", "httpx[http2,socks]<1,>=0.27"),
        ("a==1.0", "a==1.0"),
    ],
)
def test_a_requirement_has_one_way_of_writing(text: str, written: str) -> None:
    assert requirement(text) == written == requirement(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--index-url=http://evil",
        "-r other.txt",
        "-e .",
        "./local",
        "/etc/passwd",
        "name @ https://example.com/name.whl",
        "https://example.com/name.whl",
        "git+https://example.com/name",
        "name; rm -rf /",
        "name; python_version > '3'",
        "name\n--index-url=http://evil",
        "name --index-url=http://evil",
        "$(id)",
        "requests==",
        "réquests",
        "x" * 300,
    ],
)
def test_what_could_point_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(BadRequirement, match="is no requirement"):
        requirement(text)


def test_a_bare_version_is_an_exact_one_and_the_order_does_not_count() -> None:
    stored = [{"name": "b", "version": "2.0"}, {"name": "A", "version": ">=1"}, {"name": "b", "version": "2.0"}]
    assert requirements_of(stored) == ("a>=1", "b==2.0") == requirements_of(reversed(stored))


def test_what_is_stored_gives_the_same_requirements() -> None:
    texts = ["httpx[http2]>=0.27,<1", "b==2.0", "c", "d!=1", "e==1,!=2", "f==1.*"]
    assert set(requirements_of(stored_requirements(texts))) == {requirement(text) for text in texts}
    assert stored_requirements(["B == 2.0"]) == [{"name": "b", "version": "2.0"}]


@pytest.mark.parametrize(
    "stored", [{"name": "a", "version": "1; x"}, {"name": "a", "version": "1 @ http://x"}, {"name": "--x"}, {}]
)
def test_a_version_cannot_say_more_than_a_version(stored: dict[str, str]) -> None:
    with pytest.raises(BadRequirement):
        requirements_of([stored])


def test_there_is_an_end_to_the_packages_of_a_tool() -> None:
    with pytest.raises(BadRequirement, match="may name 50 packages; these are 51"):
        requirements_of({"name": f"p{number}"} for number in range(51))
