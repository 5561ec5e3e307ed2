"""What a tool needs from the package index: names and versions, and nothing that could point elsewhere."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from agents_core.errors import Refused

MOST = 50
LONGEST = 200


class BadRequirement(Refused):
    """No requirement that is accepted here. ``data["requirement"]`` is its text."""

    code: ClassVar[str] = "invalid_requirement"


def requirement(text: str) -> str:
    """One requirement in the one way of writing it: ``Foo_Bar[b,a] >=2`` is ``foo-bar[a,b]>=2``.

    Raises ``BadRequirement`` for options, paths, addresses and conditions.
    """
    parsed = _parsed(text)
    if parsed.url or parsed.marker:
        raise _refusal(text)
    extras = f"[{','.join(sorted(map(canonicalize_name, parsed.extras)))}]" if parsed.extras else ""
    return f"{canonicalize_name(parsed.name)}{extras}{','.join(sorted(map(str, parsed.specifier)))}"


def _parsed(text: str) -> Requirement:
    if len(text) > LONGEST or not text.isascii():
        raise _refusal(text)
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise _refusal(text) from None


def _refusal(text: str) -> BadRequirement:
    return BadRequirement(
        f"{text[:80]!r} is no requirement: write the name of a package on PyPI and perhaps its versions, "
        "such as requests, requests==2.32.3 or httpx[http2]>=0.27,<1.",
        requirement=text[:LONGEST],
    )


def requirements_of(stored: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The requirements in a tool's ``pip_requirements``, sorted, each once. Raises ``BadRequirement``."""
    found = {requirement(_joined(one)) for one in stored}
    if len(found) > MOST:
        raise BadRequirement(f"A tool may name {MOST} packages; these are {len(found)}.")
    return tuple(sorted(found))


def _joined(stored: Mapping[str, Any]) -> str:
    """A bare version is an exact one."""
    version = str(stored.get("version") or "").strip()
    return f"{stored.get('name') or ''}{'==' if version[:1].isalnum() else ''}{version}"


def stored_requirements(texts: Iterable[str]) -> list[dict[str, str | None]]:
    """Requirements as ``pip_requirements`` keeps them: ``{name, version}``, a version alone for ``==``. Raises ``BadRequirement``."""
    return [_split(text) for text in sorted({requirement(text) for text in texts})]


def _split(text: str) -> dict[str, str | None]:
    start = next((at for at, character in enumerate(text) if character in "<>=!~"), len(text))
    exact = text[start:].removeprefix("==")
    version = exact if exact[:1].isalnum() and "," not in exact else text[start:]
    return {"name": text[:start], "version": version or None}
