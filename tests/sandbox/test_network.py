"""What a tool reaches that has hosts switched on: those, through the proxy, with the libraries people use; nothing else."""

import pytest

from tests.sandbox.runners import Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")
_HOSTS = ("allowed.test", "silent.test")

_TRUST = """
import os, sys
authority = sys.path[-1] + "/authority.pem"
os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = authority
"""
_URLLIB = "import urllib.request\ndef f(url):\n    return urllib.request.urlopen(url, timeout=5).read().decode()"
_CLIENTS = {
    "urllib": _URLLIB,
    "requests": "import requests\ndef f(url):\n    return requests.get(url, timeout=5).text",
    "a session of requests": (
        "import requests\ndef f(url):\n    with requests.Session() as s:\n        s.get(url)\n        return s.get(url).text"
    ),
    "httpx": "import httpx\ndef f(url):\n    return httpx.get(url).text",
    "httpx, async": (
        "import httpx\nasync def f(url):\n    async with httpx.AsyncClient() as client:\n"
        "        return (await client.get(url)).text"
    ),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", _CLIENTS)
async def test_libraries_reach_an_allowed_host(sandbox: Runner, clients: str, client: str, scheme: str) -> None:
    url = f"{scheme}://allowed.test/path?query=1"
    outcome = await sandbox.run(_TRUST + _CLIENTS[client], {"url": url}, packages=clients, hosts=_HOSTS)
    assert (outcome.value, outcome.error) == ("allowed.test /path?query=1", "")


async def test_bodies_go_both_ways(sandbox: Runner, clients: str) -> None:
    source = f"""{_TRUST}
import requests
def f():
    sent = "ab" * 200_000
    return [requests.post(s + "://allowed.test/", data=sent).text == sent[::-1] for s in ("http", "https")]
"""
    assert (await sandbox.run(source, packages=clients, hosts=_HOSTS)).value == [True, True]


async def test_system_certificates_can_be_read(sandbox: Runner) -> None:
    source = "import ssl\ndef f():\n    return ssl.create_default_context().cert_store_stats()['x509_ca']"
    assert (await sandbox.run(source, hosts=_HOSTS)).value > 10


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://other.test/", "This tool may reach allowed.test, silent.test, not 'other.test'."),
        ("https://other.test/", "This tool may reach allowed.test, silent.test, not 'other.test'."),
        ("http://deep.allowed.test/", "not 'deep.allowed.test'"),
        ("http://allowed.test:8080/", "Tools may reach the ports 80 and 443, not 8080."),
        ("https://allowed.test:22/", "Tools may reach the ports 80 and 443, not 22."),
        ("http://silent.test/", "'silent.test' does not answer on port 80"),
        ("http://allowed.test/redirect?to=http://other.test/", "not 'other.test'"),
        ("http://allowed.test/redirect?to=http://127.0.0.1/", "not '127.0.0.1'"),
        ("http://allowed.test/redirect?to=http://169.254.169.254/latest", "not '169.254.169.254'"),
    ],
)
async def test_refusal_says_in_words_what_is_refused(sandbox: Runner, url: str, words: str) -> None:
    source = """
import urllib.error, urllib.request
def f(url):
    try:
        return urllib.request.urlopen(url).read().decode()
    except urllib.error.HTTPError as error:
        return f"{error.reason} {error.read().decode()}"
    except OSError as error:
        return str(error)
"""
    assert words in (await sandbox.run(source, {"url": url}, hosts=_HOSTS)).value


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "0.0.0.0", "10.0.0.1", "192.168.1.1"),
        *("172.16.0.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fd00::1]"),
        *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]", "224.0.0.1", "255.255.255.255"),
    ],
)
async def test_addresses_that_are_not_public_are_refused_even_when_listed(sandbox: Runner, host: str) -> None:
    outcome = await sandbox.run(_URLLIB, {"url": f"http://{host}/"}, hosts=(host.strip("[]"),))
    assert outcome.status == "error"
    assert "HTTP Error 403" in outcome.error
    assert "may not reach" in outcome.error or "There is no host" in outcome.error


async def test_names_below_a_star_are_allowed(sandbox: Runner) -> None:
    for url, reached in (("http://deep.allowed.test/", True), ("http://allowed.test/", False)):
        outcome = await sandbox.run(_URLLIB, {"url": url}, hosts=("*.allowed.test",))
        assert (outcome.status == "ok") is reached


async def test_socket_that_heeds_no_proxy_is_told_to(sandbox: Runner) -> None:
    source = """
import socket
def f(port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        return s.recv(1000).decode()
"""
    outcome = await sandbox.run(source, {"port": 5432}, hosts=_HOSTS)
    assert outcome.value.startswith("HTTP/1.1 400 Tools reach the network through an HTTP proxy.")


async def test_call_without_hosts_has_no_socket(sandbox: Runner) -> None:
    outcome = await sandbox.run(_URLLIB, {"url": "http://allowed.test/"})
    assert outcome.status == "error"


async def test_each_call_has_its_own_hosts(sandbox: Runner) -> None:
    urls = ["http://allowed.test/", "http://other.test/"] * 3
    outcomes = await sandbox.together(
        *[
            sandbox.run(_URLLIB, {"url": url}, hosts=(("allowed.test", "other.test")[n % 3 == 0],))
            for n, url in enumerate(urls)
        ]
    )
    assert [outcome.status == "ok" for outcome in outcomes] == [
        url.startswith(f"http://{('allowed.test', 'other.test')[n % 3 == 0]}/") for n, url in enumerate(urls)
    ]


async def test_more_connections_than_allowed_are_refused_in_words(sandbox: Runner) -> None:
    source = """
import socket
def f():
    held = [socket.create_connection(("127.0.0.1", 3128), 5) for _ in range(20)]
    return held[-1].recv(1000).decode()
"""
    assert "16 connections at a time" in (await sandbox.run(source, hosts=_HOSTS)).value
