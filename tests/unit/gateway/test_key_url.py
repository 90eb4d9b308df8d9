import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.fakes.issuer import ec_key, key_set
from waybill.gateway.adapters.key_url import https_fetcher
from waybill.gateway.errors import KeysUnavailableError

LIMIT = 10_000


class Handler(BaseHTTPRequestHandler):
    """An issuer's web server, with the ways in which it can be wrong."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        bodies = {
            "/keys": key_set().encode(),
            "/keys?tenant=7": b"tenant 7",
            "/large": b"x" * (LIMIT + 1),
            "/latin1": "é".encode("latin-1"),
            "/": b"root",
        }
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/drip":
            self._drip()
        else:
            body = bodies.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        stop: threading.Event = self.server.stop  # type: ignore[attr-defined]
        while not stop.wait(0.05):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec_key("web server")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[str]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.socket = tls.wrap_socket(running.socket, server_side=True)
        running.stop = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{running.server_port}"
        running.stop.set()  # type: ignore[attr-defined]
        running.shutdown()
        thread.join()


@pytest.fixture
def fetch(server: str, certificate: Path) -> Callable[[str], str]:
    trust = ssl.create_default_context(cafile=str(certificate))
    return lambda path: https_fetcher(server + path, timeout=1.0, limit=LIMIT, tls=trust)()


@pytest.mark.parametrize(
    ("path", "text"), [("/keys", key_set()), ("/keys?tenant=7", "tenant 7"), ("", "root"), ("/", "root")]
)
def test_the_text_behind_the_url_is_fetched(fetch: Callable[[str], str], path: str, text: str) -> None:
    assert fetch(path) == text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing", "answered 404"),
        ("/moved", "answered 302"),
        ("/large", "more than 10000 bytes"),
        ("/drip", "no answer in time"),
        ("/latin1", "UnicodeDecodeError"),
    ],
)
def test_anything_else_makes_the_keys_unavailable(fetch: Callable[[str], str], path: str, reason: str) -> None:
    with pytest.raises(KeysUnavailableError, match=reason):
        fetch(path)


def test_a_server_without_a_trusted_certificate_is_not_believed(server: str) -> None:
    with pytest.raises(KeysUnavailableError, match="SSLCertVerificationError"):
        https_fetcher(server + "/keys", timeout=1.0)()


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(KeysUnavailableError, match="no answer in time"):
            https_fetcher(f"https://127.0.0.1:{port}/keys", timeout=0.2)()


def test_a_server_that_is_not_there_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(KeysUnavailableError, match="ConnectionRefusedError"):
        https_fetcher(f"https://127.0.0.1:{port}/keys", timeout=1.0)()


@pytest.mark.parametrize("url", ["", "keys", "http://issuer.example/keys", "file:///etc/passwd", "https://"])
def test_only_https_urls_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        https_fetcher(url)
