"""The one command: from nothing to an answer, through kills, to nothing left."""

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.e2e.serving import Server

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that has started on nothing, answered, and ended by Ctrl-C with all it started."""
    with Server(tmp_path_factory.mktemp("serve") / "home") as server:
        assert health(server) == "ok"
        assert server.stop(signal.SIGINT) == 0
        assert server.left() == []
    return server


@pytest.fixture(scope="module")
def home(first_start: Server) -> Path:
    """A home that a first start has filled."""
    return first_start.home


def health(server: Server) -> object:
    _, body = server.ask("/v1/health/")
    return json.loads(body)["status"]


def refusal(server: Server) -> str:
    """What a ``serve`` that does not start says; it ends by itself, with an error."""
    server.launch()
    assert server.process.wait(60) == 1
    assert "Traceback" not in server.output
    return server.output


def test_a_first_start_tells_the_password_of_the_administrator_and_keeps_it_nowhere(first_start: Server) -> None:
    password = re.search(r"'admin' with the password (\S+)", first_start.output)
    assert password
    kept = [path for path in first_start.home.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if password.group(1).encode() in path.read_bytes()]


@pytest.fixture(scope="class")
def later_start(home: Path) -> Iterator[Server]:
    """A server on what a first start has left."""
    with Server(home) as server:
        yield server


class TestALaterStart:
    def test_migrates_nothing_and_tells_no_password(self, later_start: Server) -> None:
        assert health(later_start) == "ok"
        assert "up to date" not in later_start.output
        assert "password" not in later_start.output

    def test_on_a_home_in_use_is_told_who_uses_it(self, later_start: Server) -> None:
        said = refusal(Server(later_start.home))
        assert f"in use by process {later_start.process.pid}, port {later_start.port}" in said

    @pytest.mark.parametrize(
        ("child", "told"), [("webserver", "The web server ended"), ("agent_worker", "The worker ended")]
    )
    def test_has_a_child_that_is_killed_started_again(self, later_start: Server, child: str, told: str) -> None:
        later_start.child(child).kill()
        later_start.wait_for(told)
        assert health(later_start) == "ok"
        assert later_start.child("webserver").is_running()

    def test_has_a_killed_database_started_again(self, later_start: Server) -> None:
        later_start.child("bin/postgres").kill()
        later_start.wait_for("The database is back")
        assert health(later_start) == "ok"

    def test_that_is_killed_takes_all_with_it_and_the_next_one_starts(self, later_start: Server) -> None:
        later_start.stop(signal.SIGKILL)
        assert later_start.left() == []
        with later_start:
            assert health(later_start) == "ok"
            assert later_start.stop(signal.SIGTERM) == 0
            assert later_start.left() == []


def test_a_signal_while_it_prepares_ends_it_too(tmp_path: Path) -> None:
    with_nothing = Server(tmp_path / "home").launch()
    with_nothing.wait_for("Bringing the database up to date")
    assert with_nothing.stop() == 0
    assert with_nothing.left() == []
    with Server(tmp_path / "home") as server:
        assert health(server) == "ok"


def test_a_taken_port_is_told_with_who_has_it(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(Server(home, PORT=str(port)))
    assert f"Port {port} is taken by process" in said
    assert f"PORT={port + 1}" in said


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "home"
    home.symlink_to(tmp_path / "file" / "home")
    assert "set MNEMOSCOPE_HOME to one that can" in refusal(Server(home))


def test_a_bad_variable_is_told_by_its_name(tmp_path: Path) -> None:
    assert "LOG_LEVEL=loud is unknown: use one of debug, info" in refusal(Server(tmp_path / "home", LOG_LEVEL="loud"))


def test_a_door_to_other_machines_needs_a_password(tmp_path: Path) -> None:
    said = refusal(Server(tmp_path / "home", HOST="0.0.0.0"))
    assert "set MNEMOSCOPE_PASSWORD" in said


def test_with_a_password_a_client_and_a_browser_come_in_each_in_their_way(home: Path) -> None:
    with Server(home, HOST="0.0.0.0", MNEMOSCOPE_PASSWORD="open sesame") as server:
        assert health(server) == "ok"
        assert server.ask("/v1/agents/")[0].status == 401
        assert server.ask("/v1/agents/", headers={"Authorization": "Bearer open sesame"})[0].status != 401
        assert server.ask("/admin/")[0].status == 303
        page, body = server.ask("/login?next=/admin/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', body)
        assert token
        cookie = str(page.headers["set-cookie"]).split(";")[0]
        form = f"csrfmiddlewaretoken={token.group(1).decode()}&password="
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        refused, body = server.ask("/login?next=/admin/", "POST", form + "wrong", headers)
        assert (refused.status, b"That is not the password" in body) == (403, True)
        accepted, _ = server.ask("/login?next=/admin/", "POST", form + "open+sesame", headers)
        assert (accepted.status, accepted.headers["location"]) == (302, "/admin/")
        login = str(accepted.headers["set-cookie"]).split(";")[0]
        assert server.ask("/admin/", headers={"Cookie": login})[0].headers["location"].startswith("/admin/login/")


def test_an_outside_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = refusal(Server(tmp_path / "home", DATABASE_URL=f"postgresql:///x?host={tmp_path}"))
    assert "The database of DATABASE_URL cannot be reached" in said


@pytest.mark.django_db
def test_an_outside_database_is_used_as_it_is(tmp_path: Path) -> None:
    own = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    url = f"postgresql://{own['USER']}:{own['PASSWORD']}@/postgres?host={own['HOST']}&port={own['PORT']}"
    with Server(tmp_path / "home", DATABASE_URL=url) as server:
        assert health(server) == "ok"
        assert not (tmp_path / "home" / "postgres").exists()
        assert server.stop() == 0
        assert server.left() == []
