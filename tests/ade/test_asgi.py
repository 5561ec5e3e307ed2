"""The whole application as the web server calls it: static files, the API beside the pages, unknown websockets."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings

HOST = (b"host", b"localhost:8283")


async def get(path: str, *headers: tuple[bytes, bytes]) -> tuple[int, dict[str, str], bytes]:
    from ade.asgi import application

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [HOST, *headers],
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(timeout=10)
    body, more = b"", True
    while more:
        message = await communicator.receive_output(timeout=10)
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return start["status"], {name.decode().lower(): value.decode() for name, value in start["headers"]}, body


async def test_a_static_file_may_be_kept_for_ever() -> None:
    status, headers, body = await get(f"{settings.STATIC_URL}ade/favicon.svg")
    assert (status, b"<svg" in body) == (200, True)
    assert headers["cache-control"].endswith("immutable")
    assert headers["content-type"].startswith("image/svg+xml")
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_files_of_packages_are_served_too() -> None:
    status, _, _ = await get(f"{settings.STATIC_URL}admin/css/base.css")
    assert status == 200


@pytest.mark.parametrize("path", ["../settings.py", "ade/../../ade/settings.py", "%2e%2e/manage.py", "/etc/passwd"])
@pytest.mark.django_db
async def test_nothing_else_is_served_as_a_static_file(path: str) -> None:
    status, _, _ = await get(settings.STATIC_URL + path)
    assert status == 404


async def test_the_api_makes_no_session_and_no_csrf_token() -> None:
    status, headers, _ = await get("/v1/health/", (b"cookie", b"sessionid=x"))
    assert (status, "set-cookie" in headers, "vary" in headers) == (200, False, False)


async def test_a_websocket_to_nowhere_is_closed() -> None:
    from ade.asgi import application

    scope: dict[str, Any] = {"type": "websocket", "path": "/ws/nowhere", "headers": [HOST], "subprotocols": []}
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(timeout=10))["type"] == "websocket.close"


def test_the_address_of_static_files_changes_with_them(tmp_path: Any) -> None:
    from ade.assets import address

    (tmp_path / "a.css").write_text("a { color: red }")
    before = address([tmp_path])
    assert address([tmp_path]) == before
    (tmp_path / "a.css").write_text("a { color: blue }")
    assert address([tmp_path]) != before
