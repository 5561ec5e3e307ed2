"""A package index on this machine: wheels made on the spot, served as PyPI serves them."""

import zipfile
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread


class PackageIndex:
    """``/<name>/`` lists the wheels of a package. While ``open`` is not set, every answer waits."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.open = Event()
        self.open.set()
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, self, directory=str(root)))
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def add(
        self, name: str, source: str, *, version: str = "1.0", tag: str = "py3-none-any", needs: Sequence[str] = ()
    ) -> None:
        folder, facts = self.root / name, f"{name}-{version}.dist-info"
        folder.mkdir(exist_ok=True)
        requires = "".join(f"Requires-Dist: {one}\n" for one in needs)
        with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", source)
            wheel.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
            wheel.writestr(
                f"{facts}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
            )
            wheel.writestr(f"{facts}/RECORD", "")

    def close(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


class _Pages(SimpleHTTPRequestHandler):
    def __init__(self, index: PackageIndex, *arguments: object, directory: str) -> None:
        self._index = index
        super().__init__(*arguments, directory=directory)

    def do_GET(self) -> None:
        self._index.asked.append(self.path)
        self._index.open.wait(30)
        super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def only_index(root: Path, environ: MutableMapping[str, str]) -> Iterator[PackageIndex]:
    """An index that is the only one uv knows of by ``environ``, with an empty cache."""
    folder = root / "index"
    folder.mkdir()
    index = PackageIndex(folder)
    for name in (
        "UV_FIND_LINKS",
        "UV_EXTRA_INDEX_URL",
        "UV_INDEX",
        "HTTP_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "all_proxy",
    ):
        environ.pop(name, None)
    environ.update(
        {
            "UV_DEFAULT_INDEX": index.url,
            "UV_CACHE_DIR": str(root / "cache"),
            "UV_NO_CONFIG": "1",
            "UV_HTTP_RETRIES": "0",
        }
    )
    yield index
    index.close()
