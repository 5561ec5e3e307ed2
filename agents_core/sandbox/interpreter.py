"""Which Python runs inside, and what of the machine it needs to see: its own folders and the system's libraries."""

import os
import shutil
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

# The program given to ``python -c``: the path is only there while the zygote loads itself.
BOOT = """
import sys
sys.path.insert(0, {root!r})
from agents_core.sandbox.inside.zygote import main
sys.path.pop(0)
main(sys.argv[1])
"""
FLAGS = ("-I", "-S", "-B")
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
_SYSTEM = ("/lib", "/lib32", "/lib64", "/bin")


class Interpreter(NamedTuple):
    executable: Path
    prefix: Path
    readable: tuple[Path, ...]
    """Folders and files to show, read-only. None of them is the virtual environment."""


@cache
def interpreter() -> Interpreter:
    """The Python under the virtual environment this process runs in."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / "bin" / name
    executable = Path(os.path.realpath(base if base.exists() else sys.executable))
    prefix = executable.parent.parent
    folders = [root / part for root in {Path("/usr"), prefix} for part in ("bin", "lib", "lib64")]
    extra = [*map(Path, _SYSTEM), Path("/usr/share/zoneinfo"), Path("/etc/ld.so.cache"), certificates()]
    if (script := node()) and not any(script.is_relative_to(folder) for folder in folders):
        extra.append(script)
    return Interpreter(executable, prefix, tuple(sorted(path for path in (*folders, *extra) if path.exists())))


@cache
def node() -> Path | None:
    """Node.js, where this machine has it."""
    found = shutil.which("node")
    return Path(os.path.realpath(found)) if found else None


@cache
def certificates() -> Path:
    """The file of certificates that this machine trusts, ``/nowhere`` when it has none."""
    named = ssl.get_default_verify_paths().cafile or ""
    found = next((path for path in (named, *_CERTIFICATES) if os.path.isfile(path)), "/nowhere")  # noqa: PTH113
    return Path(os.path.realpath(found))
