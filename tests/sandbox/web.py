"""A web server that stands for the internet: HTTP and HTTPS, with an authority of its own."""

import datetime
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_NAMES = ("allowed.test", "deep.allowed.test", "other.test")


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/redirect":
            self._answer(302, b"", ("Location", asked["to"]))
        elif address.path == "/bytes":
            self._answer(200, bytes(int(asked["count"])))
        else:
            self._answer(200, f"{self.headers['Host']} {self.path}".encode())

    def do_POST(self) -> None:
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Says nothing."""


class Web:
    """``authority`` is the certificate, as PEM, by which a client knows the server."""

    def __init__(self) -> None:
        self.authority, pem = _certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "server.pem").write_bytes(pem)
            context.load_cert_chain(Path(folder) / "server.pem")
        self._plain = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._sealed = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._sealed.socket = context.wrap_socket(self._sealed.socket, server_side=True, do_handshake_on_connect=False)
        self.http_port, self.https_port = self._plain.server_port, self._sealed.server_port

    def __enter__(self) -> Self:
        for server in (self._plain, self._sealed):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._plain, self._sealed):
            server.shutdown()
            server.server_close()


def _certificate() -> tuple[bytes, bytes]:
    """A certificate that signs itself; and the same with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "The internet")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in _NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, private + pem
