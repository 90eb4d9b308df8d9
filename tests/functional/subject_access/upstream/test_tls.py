"""HTTPS: the certificate must be that of the name, though the connection goes to an address."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from waybill.subject_access.adapters.web import HttpWeb
from waybill.subject_access.domain.upstream.addresses import Destinations
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import TransientServiceError

_NAME = "keyworker.service.example"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        return


class _Server(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """Refused handshakes are the point of these tests."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the name, which is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    names = [x509.DNSName(_NAME), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def _get(name: str, port: int, context: ssl.SSLContext | None) -> int:
    destinations = Destinations.parse(f"{name}:{port}", "127.0.0.0/8")
    web = HttpWeb(destinations, resolver=lambda *_: ["127.0.0.1"], context=context)
    try:
        with web.get(f"https://{name}:{port}/", parameters={}, headers={}, deadline=time.monotonic() + 30) as reply:
            return reply.status
    finally:
        web.close()


def test_a_certificate_of_the_name_is_good(certificate: Path, port: int) -> None:
    assert _get(_NAME, port, ssl.create_default_context(cafile=str(certificate))) == 200


@pytest.mark.parametrize("name", ["other.service.example", "service.example"])
def test_a_certificate_of_another_name_is_not(certificate: Path, port: int, name: str) -> None:
    with pytest.raises(TransientServiceError) as raised:
        _get(name, port, ssl.create_default_context(cafile=str(certificate)))
    assert raised.value.code is Code.UNREACHABLE


def test_an_authority_that_is_not_trusted_is_refused(port: int) -> None:
    with pytest.raises(TransientServiceError) as raised:
        _get(_NAME, port, None)
    assert raised.value.code is Code.UNREACHABLE
