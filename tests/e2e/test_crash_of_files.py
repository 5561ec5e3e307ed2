"""A file whose worker is killed while it is embedded is completed by the next one, with each passage once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.homes import filled
from tests.e2e.serving import Server
from tests.e2e.test_crash import Person

pytestmark = pytest.mark.timeout(400)

TEXT = "".join(f"Entry {n}: " + "words of many kinds, " * 45 + "\n\n" for n in range(1500))
BOUNDARY = "----a-boundary-of-the-test"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="long.md"\r\n'
    f"Content-Type: text/markdown\r\n\r\n{TEXT}\r\n--{BOUNDARY}--\r\n"
)


def upload(server: Server, folder_id: str) -> dict[str, Any]:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    response, body = server.ask(f"/v1/folders/{folder_id}/upload", "POST", FORM, headers)
    assert response.status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with Server(filled(tmp_path / "home")) as server:
        person = Person(server)
        folder_id = person.ask("/v1/folders/", {"name": "Long", "embedding": "local/hashing"})["id"]
        path = f"/v1/folders/{folder_id}/files/{upload(server, folder_id)['id']}"

        def file() -> dict[str, Any]:
            found: dict[str, Any] = person.ask(path)
            return found

        person.until(lambda: 0 < file()["chunks_embedded"] < file()["total_chunks"])
        server.child("agent_worker").kill()
        at_death = file()
        assert at_death["processing_status"] == "embedding"
        person.until(lambda: file()["processing_status"] == "completed")
        ended = file()
        assert ended["chunks_embedded"] == ended["total_chunks"] > at_death["chunks_embedded"]
        texts, after = [], ""
        while page := person.ask(f"/v1/folders/{folder_id}/passages?limit=1000&order=asc{after}"):
            texts += [passage["text"] for passage in page]
            after = f"&after={page[-1]['id']}"
        assert len(texts) == ended["total_chunks"]
        assert sorted(int(text.split()[1].rstrip(":")) for text in texts) == list(range(1500))
        server.stop()
