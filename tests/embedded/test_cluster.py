"""The embedded PostgreSQL: made, started, killed, healed."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from agents_core.embedded.cluster import Cluster
from agents_core.embedded.errors import DatabaseUnavailable
from agents_core.embedded.place import Place


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder behind others that only its owner may pass, as pytest makes them."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    """A server that runs, on data that the tests of this file share."""
    cluster = Cluster(Place(home), durable=False)
    started(cluster)
    yield cluster
    cluster.stop()


def started(cluster: Cluster) -> Cluster:
    cluster.start()
    cluster.wait()
    return cluster


def query(cluster: Cluster, statement: str, **changes: Any) -> Any:
    with psycopg.connect(**cluster.connection | changes, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def pid(cluster: Cluster) -> int:
    assert cluster.process
    return cluster.process.pid


def workers(home: Path) -> list[psutil.Process]:
    """The processes whose working folder is the data of ``home``."""
    return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(home / "postgres")]


def test_it_brings_pgvector_and_utf8(cluster: Cluster) -> None:
    row = query(cluster, "SELECT '[1,2]'::halfvec(2)::text, lower('É'), current_setting('server_encoding')")
    assert row == ("[1,2]", "é", "UTF8")


def test_it_keeps_what_was_committed_over_a_clean_stop(cluster: Cluster) -> None:
    query(cluster, "CREATE TABLE kept AS SELECT 42 AS answer")
    cluster.stop()
    assert query(started(cluster), "SELECT answer FROM kept") == (42,)


def test_it_listens_on_no_network(cluster: Cluster) -> None:
    connections = psutil.Process(pid(cluster)).net_connections("inet")
    assert connections == []


def test_it_wants_the_password(cluster: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        query(cluster, "SELECT 1", password="wrong")


def test_only_its_owner_may_enter_the_folder_of_the_socket(cluster: Cluster) -> None:
    place = cluster.place
    assert stat.S_IMODE(place.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run it as somebody else")
def test_started_by_root_it_runs_as_a_user_of_its_own(cluster: Cluster) -> None:
    uids = psutil.Process(pid(cluster)).uids()
    assert 0 not in uids
    assert uids.real == cluster.place.data.stat().st_uid


def test_after_a_kill_it_starts_again_with_all_that_was_committed(cluster: Cluster) -> None:
    query(cluster, "CREATE TABLE survivors AS SELECT generate_series(1, 1000) AS n")
    os.kill(pid(cluster), signal.SIGKILL)
    assert cluster.process
    cluster.process.wait()
    assert cluster.ended()
    assert query(started(cluster), "SELECT count(*) FROM survivors") == (1000,)


def test_a_server_left_over_from_a_killed_parent_is_replaced(cluster: Cluster) -> None:
    left_over = pid(cluster)
    successor = started(Cluster(cluster.place, durable=False))
    try:
        assert cluster.ended()
        assert query(successor, "SELECT 1") == (1,)
        assert pid(successor) != left_over
    finally:
        successor.stop()


def test_a_number_in_the_lock_file_that_another_process_got_does_no_harm(cluster: Cluster) -> None:
    cluster.stop()
    lock = cluster.place.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{cluster.place.data}\n1\n5432\n\n\n\nready\n")
    assert query(started(cluster), "SELECT 1") == (1,)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not end a child with its parent")
def test_it_ends_with_a_parent_that_is_killed(cluster: Cluster) -> None:
    cluster.stop()
    home = cluster.place.home
    script = (
        "import sys, time; from pathlib import Path\n"
        "from agents_core.embedded.cluster import Cluster; from agents_core.embedded.place import Place\n"
        "cluster = Cluster(Place(Path(sys.argv[1]))); cluster.start(); cluster.wait()\n"
        "print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"up\n"
        children = workers(home)
        parent.kill()
    assert children
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_data_of_another_major_version_is_refused_in_a_sentence(cluster: Cluster) -> None:
    cluster.stop()
    version = cluster.place.data / "PG_VERSION"
    own = version.read_text()
    version.write_text("13\n")
    try:
        with pytest.raises(DatabaseUnavailable, match="another major version of PostgreSQL"):
            started(cluster)
    finally:
        version.write_text(own)


def test_a_half_made_folder_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "data").mkdir(parents=True)
    (tmp_path / "postgres.new" / "data" / "PG_VERSION").write_text("18\n")
    cluster = started(Cluster(Place(tmp_path), durable=False))
    cluster.stop()
    assert not (tmp_path / "postgres.new").exists()


def test_a_home_too_deep_for_a_socket_gets_a_short_folder_that_stays(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    cluster = started(Cluster(Place(deep), durable=False))
    folder = cluster.place.socket_folder
    try:
        assert query(cluster, "SELECT 1") == (1,)
        cluster.stop()
        assert query(started(cluster), "SELECT 1") == (1,)
        assert cluster.place.socket_folder == folder
    finally:
        cluster.stop()
        folder.rmdir()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MB, half of what a database needs."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=0700", "tmpfs", tmp_path], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_full_disk_is_told_in_a_sentence_and_nothing_half_made_stays(small_disk: Path) -> None:
    cluster = Cluster(Place(small_disk), durable=False)
    with pytest.raises(DatabaseUnavailable, match="The disk that holds .* is full"):
        started(cluster)
    cluster.stop()
    assert not (small_disk / "postgres").exists()
    assert not (small_disk / "postgres.new").exists()
