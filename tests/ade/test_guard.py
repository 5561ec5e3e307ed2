"""Who may reach the server."""

import json
from typing import Any

import pytest

from ade.middleware import Guard, Policy, is_loopback
from ade.password import COOKIE, FAILURES, WINDOW_S, Password, TooManyAttemptsError

HOST = {"host": "localhost:8283"}
FOREIGN = "https://evil.example"


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers everything."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"reached"})


class Reply:
    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.first = messages[0]
        self.status: int = messages[0].get("status", 0)
        self.headers = {name.decode(): value.decode() for name, value in messages[0].get("headers", [])}
        self.body = b"".join(message.get("body", b"") for message in messages)

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


async def ask(
    headers: dict[str, str],
    policy: Policy | None = None,
    method: str = "GET",
    path: str = "/v1/agents/",
    kind: str = "http",
) -> Reply:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    scope = {
        "type": kind,
        "path": path,
        "client": ("10.0.0.9", 5555),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    if kind == "http":
        scope["method"] = method
    await Guard(inner, policy or Policy())(scope, receive, send)
    return Reply(sent)


@pytest.mark.parametrize(
    "host", ["localhost:8283", "127.0.0.1", "127.0.0.1:9", "[::1]:8283", "LOCALHOST", "ide.localhost:8283", "127.9.9.9"]
)
async def test_every_name_of_the_machine_itself_is_served(host: str) -> None:
    assert (await ask({"host": host})).body == b"reached"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8283", "localhost.evil.example", "192.168.1.7", "", "a b", "::1"]
)
async def test_a_rebound_name_is_refused(host: str) -> None:
    reply = await ask({"host": host})
    assert reply.status == 403
    assert "ALLOWED_HOSTS" in reply.detail


async def test_a_request_without_a_host_is_refused() -> None:
    assert (await ask({})).status == 403


async def test_an_allowed_host_is_served_with_its_subdomains() -> None:
    policy = Policy(hosts=(".example.org",))
    assert (await ask({"host": "mnemo.example.org"}, policy)).status == 200
    assert (await ask({"host": "example.net"}, policy)).status == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
async def test_a_page_of_another_site_is_refused(method: str) -> None:
    assert (await ask(HOST | {"origin": FOREIGN}, method=method)).status == 403


@pytest.mark.parametrize(
    "origin", ["null", "http://localhost:3000", "http://localhost", "http://127.0.0.1:8283", "", "x"]
)
async def test_an_origin_of_another_port_or_of_nothing_is_refused(origin: str) -> None:
    assert (await ask(HOST | {"origin": origin}, method="POST")).status == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8283", "http://localhost:8283"),
        ("127.0.0.1:8283", "http://127.0.0.1:8283"),
        ("[::1]:8283", "http://[::1]:8283"),
        ("localhost", "https://localhost"),
    ],
)
async def test_our_own_pages_are_served(host: str, origin: str) -> None:
    assert (await ask({"host": host, "origin": origin}, method="POST")).status == 200


async def test_a_script_or_picture_of_another_site_is_refused_without_an_origin_too() -> None:
    headers = HOST | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert (await ask(headers, path="/static/x.js")).status == 403


async def test_a_link_from_another_site_opens_a_page_but_no_api_address() -> None:
    headers = HOST | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await ask(headers, path="/agents")).status == 200
    assert (await ask(headers, path="/v1/agents/")).status == 403
    assert (await ask(headers, path="/agents", method="POST")).status == 403


async def test_a_websocket_of_another_site_is_closed() -> None:
    assert (await ask(HOST | {"origin": FOREIGN}, kind="websocket")).first["type"] == "websocket.close"
    assert (await ask({"host": "evil.example", "origin": "http://evil.example"}, kind="websocket")).first[
        "code"
    ] == 4403


async def test_a_websocket_of_our_own_page_is_accepted() -> None:
    reply = await ask(HOST | {"origin": "http://localhost:8283"}, kind="websocket")
    assert reply.first["type"] == "websocket.accept"


async def test_an_allowed_origin_may_ask_and_read() -> None:
    policy = Policy(origins=("https://app.example",))
    reply = await ask(HOST | {"origin": "https://app.example"}, policy, method="POST")
    assert (reply.body, reply.headers["access-control-allow-origin"]) == (b"reached", "https://app.example")


async def test_the_preflight_of_an_allowed_origin_is_answered() -> None:
    headers = HOST | {"origin": "https://app.example", "access-control-request-headers": "authorization"}
    reply = await ask(headers, Policy(origins=("https://app.example",)), method="OPTIONS")
    assert (reply.status, reply.headers["access-control-allow-headers"]) == (204, "authorization")


async def test_every_answer_carries_the_security_headers() -> None:
    for reply in (await ask(HOST), await ask({"host": "evil.example"})):
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "'unsafe-inline'" not in reply.headers["content-security-policy"].split("style-src")[0]


class TestPassword:
    policy = Policy(password=Password("open sesame"))

    @pytest.mark.parametrize(
        "header", [("authorization", "Bearer open sesame"), ("x-bare-password", "password open sesame")]
    )
    async def test_a_client_shows_it_in_a_header(self, header: tuple[str, str]) -> None:
        assert (await ask(HOST | dict([header]), self.policy)).body == b"reached"

    @pytest.mark.parametrize(
        "headers",
        [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer ✓"}],
    )
    async def test_the_api_says_401_without_it(self, headers: dict[str, str]) -> None:
        reply = await ask(HOST | headers, Policy(password=Password("open sesame")))
        assert (reply.status, json.loads(reply.body)) == (401, {"detail": "Unauthorized"})

    @pytest.mark.parametrize("path", ["/v1/health/", "/v1/health", "/latest/ready/", "/login", "/static/x/ade.css"])
    async def test_health_login_and_static_files_are_open(self, path: str) -> None:
        assert (await ask(HOST, self.policy, path=path)).status == 200

    async def test_a_page_sends_the_browser_to_the_login(self) -> None:
        reply = await ask(HOST, self.policy, path="/agents/agent-1")
        assert (reply.status, reply.headers["location"]) == (303, "/login?next=/agents/agent-1")

    async def test_a_part_of_a_page_sends_the_whole_browser_there(self) -> None:
        reply = await ask(HOST | {"hx-request": "true"}, self.policy, path="/agents")
        assert (reply.status, reply.headers["hx-redirect"]) == (401, "/login?next=/agents")

    async def test_a_websocket_needs_it(self) -> None:
        reply = await ask(HOST, self.policy, kind="websocket", path="/ws/agents/agent-1")
        assert (reply.first["type"], reply.first["code"]) == ("websocket.close", 4401)

    async def test_the_cookie_of_the_login_opens_pages_websockets_and_the_api(self) -> None:
        headers = HOST | {"cookie": f"a=b; {COOKIE}={self.password().cookie()}"}
        for kind, path in (("http", "/agents"), ("http", "/v1/agents/"), ("websocket", "/ws")):
            assert (await ask(headers, self.policy, kind=kind, path=path)).first["type"].endswith(("start", "accept"))

    async def test_a_cookie_of_another_password_opens_nothing(self) -> None:
        headers = HOST | {"cookie": f"{COOKIE}={Password('old one').cookie()}"}
        assert (await ask(headers, self.policy, path="/agents")).status == 303

    async def test_a_forged_cookie_opens_nothing(self) -> None:
        headers = HOST | {"cookie": f"{COOKIE}={self.password().cookie()[:-1]}!"}
        assert (await ask(headers, self.policy, path="/agents")).status == 303

    async def test_guessing_is_stopped(self) -> None:
        policy = Policy(password=Password("open sesame"))
        for _ in range(FAILURES):
            await ask(HOST | {"authorization": "Bearer wrong"}, policy)
        assert (await ask(HOST | {"authorization": "Bearer open sesame"}, policy)).status == 429

    def test_guessing_may_go_on_after_a_minute_and_others_are_not_hindered(self) -> None:
        now = 0.0
        password = Password("open sesame", clock=lambda: now)
        for _ in range(FAILURES):
            assert not password.accepts("wrong", "10.0.0.1")
        with pytest.raises(TooManyAttemptsError):
            password.accepts("open sesame", "10.0.0.1")
        assert password.accepts("open sesame", "10.0.0.2")
        now = WINDOW_S + 1
        assert password.accepts("open sesame", "10.0.0.1")

    def password(self) -> Password:
        assert self.policy.password
        return self.policy.password


@pytest.mark.parametrize("name", ["localhost.evil.example", "10.0.0.1", "", "127.1", "0.0.0.0"])
def test_other_names_are_not_the_machine_itself(name: str) -> None:
    assert not is_loopback(name)
