"""Typed readings of the environment: each refuses a bad value by the name of its variable.

A secret may stand in a file: ``NAME_FILE=/path`` is read when ``NAME`` itself is not set.
"""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})

_WEBHOOK_PREFIX = "whsec_"

Choice = TypeVar("Choice", bound=str)


class BadSetting(ImproperlyConfigured):
    """A variable of the environment holds something that cannot be used; the sentence names it and says what can."""


def text(name: str, default: str = "") -> str:
    """The variable without surrounding space, or the text of the file ``<name>_FILE`` names, or ``default``.

    Raises ``BadSetting`` when both are set or the file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name, default).strip()
    if os.environ.get(name):
        raise BadSetting(f"{name} and {name}_FILE are both set: keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{name}_FILE={path} cannot be read: {error}.") from None


def flag(name: str, default: bool = False) -> bool:
    value = text(name, str(default)).lower()
    if value not in TRUE | FALSE:
        raise BadSetting(f"{name}={value} is neither yes nor no: use 1 or 0.")
    return value in TRUE


def number(name: str, default: int, at_least: int = 0, at_most: int | None = None) -> int:
    value = text(name) or str(default)
    try:
        found = int(value)
    except ValueError:
        raise BadSetting(f"{name}={value} is not a whole number.") from None
    if found < at_least or (at_most is not None and found > at_most):
        limits = f"at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        raise BadSetting(f"{name}={value} is out of range: use a number {limits}.")
    return found


def words(name: str) -> list[str]:
    """The parts of a list written with commas or spaces."""
    return text(name).replace(",", " ").split()


def choice(name: str, default: Choice, allowed: tuple[Choice, ...]) -> Choice:
    value = text(name, default).lower() or default
    for known in allowed:
        if value == known:
            return known
    raise BadSetting(f"{name}={value} is unknown: use one of {', '.join(allowed)}.")


def folder(name: str, default: str) -> Path:
    """An absolute folder, made with mode 0700 when it is not there.

    Raises ``BadSetting`` when it cannot be made or written to.
    """
    path = Path(text(name) or default).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"The folder {path} cannot be made ({error.strerror}): set {name} to one that can.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting(f"The folder {path} is not writable for this user: change that, or set {name} to another.")
    return path


def kept_secret(name: str, path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """The variable ``name`` (or its file), else the secret kept at ``path``, made there at first use with mode 0600.

    Two that ask at once get the same one. Raises ``BadSetting`` when it can neither be read nor written.
    """
    return text(name) or _kept(name, path, make)


def signing_key(name: str, path: Path) -> bytes:
    """A kept secret as Standard Webhooks writes them, ``whsec_`` and base64; one that was set in another form counts as it is.

    Raises ``BadSetting``.
    """
    written = kept_secret(name, path, lambda: _WEBHOOK_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())
    if not written.startswith(_WEBHOOK_PREFIX):
        return written.encode()
    try:
        return base64.b64decode(written.removeprefix(_WEBHOOK_PREFIX), validate=True)
    except ValueError:
        raise BadSetting(f"{name} begins with {_WEBHOOK_PREFIX}: what follows has to be base64.") from None


def _kept(name: str, path: Path, make: Callable[[], str]) -> str:
    try:
        if not path.exists():
            _write_once(path, make())
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadSetting(f"{path} cannot be used for {name}: {error.strerror}.") from None


def _write_once(path: Path, value: str) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    # A link, not a rename: it never replaces what another process has just written.
    with suppress(FileExistsError):
        os.link(draft, path)
    Path(draft).unlink()
