"""The HTTP client against servers that mean harm, on real sockets.

Sources: docs/architecture.md (one deadline over the whole exchange, the address checked and pinned, bounded sizes);
RFC 9110 and 9112 for what an answer is; OWASP's Server-Side Request Forgery Prevention Cheat Sheet for addresses,
redirects and names that resolve differently the second time.
"""

import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.hostile_server import Call, HostileServer, serving
from waybill.core.http_client import (
    AnswerTooLargeError,
    BrokenAnswerError,
    ExchangeLimits,
    HttpClient,
    RequestRefusedError,
    TimedOutError,
    UnreachableError,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
NAME = "service.example"
BOTH = frozenset({"http", "https"})
# Long enough for a busy machine, far shorter than what the servers would take.
SECONDS, FAR = 0.5, 15.0


def client(**options: object) -> HttpClient:
    """Return a client that may reach this machine, under any name."""
    chosen = {"schemes": BOTH, "permits": lambda _: True, "resolver": lambda *_: ["127.0.0.1"]} | options
    return HttpClient(**chosen)  # type: ignore[arg-type]


def get(url: str, seconds: float = FAR, made: HttpClient | None = None) -> tuple[int, bytes]:
    with (made or client()).exchange("GET", url, deadline=time.monotonic() + seconds) as answer:
        return answer.status, answer.read()


def whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_an_answer_is_given_as_it_is() -> None:
    with serving(lambda _: [HEAD + b"X-One: a\r\nx-one: b\r\nContent-Length: 2\r\n\r\n", b"{", b"}"]) as server:
        asked = server.url("/a?b=c#part")
        with client().exchange("GET", asked, deadline=time.monotonic() + FAR, headers={"X": "y"}) as answer:
            assert (answer.status, answer.headers["x-one"]) == (200, "a, b")
            assert answer.read() == b"{}"
    head = server.requests[0]
    assert head.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in head
    assert b"Accept-Encoding: identity\r\n" in head
    assert b"X: y\r\n" in head


def test_a_body_is_sent_with_its_length() -> None:
    with (
        serving(lambda _: [whole(b"")]) as server,
        client().exchange("POST", server.url(), deadline=time.monotonic() + FAR, body=b"a" * 100_000) as answer,
    ):
        assert answer.status == 200
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Length: 100000" in head
    assert body == b"a" * 100_000


@pytest.mark.parametrize("ending", [b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n"])
def test_chunks_are_joined(ending: bytes) -> None:
    pieces = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"1;x=y\r\nd\r\n", ending]
    with serving(lambda _: pieces) as server:
        assert get(server.url()) == (200, b"abcd")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    with serving(lambda _: [HEAD + b"\r\n", b"abc"]) as server:
        assert get(server.url()) == (200, b"abc")


def _waiting(call: Call) -> Iterable[bytes]:
    call.wait(FAR)
    return []


def _header_lines(call: Call) -> Iterator[bytes]:
    yield HEAD
    for number in itertools.count():
        call.wait(0.05)
        yield b"X-%d: y\r\n" % number


def _bytes_of_header(call: Call) -> Iterator[bytes]:
    for byte in itertools.chain(HEAD, b"X: ", itertools.repeat(ord("y"))):
        call.wait(0.02)
        yield bytes([byte])


def _bytes_of_body(call: Call) -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 1000000\r\n\r\n"
    while True:
        call.wait(0.02)
        yield b"y"


def _chunks_of_body(call: Call) -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        call.wait(0.02)
        yield b"1\r\ny\r\n"


def _continues(call: Call) -> Iterator[bytes]:
    while True:
        call.wait(0.02)
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


def _trailers(call: Call) -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\n"
    while True:
        call.wait(0.02)
        yield b"X: y\r\n"


class TestOneDeadline:
    """A receiver that sends a header line every 4 s held a webhook for 36 s."""

    @pytest.mark.parametrize(
        "answering",
        [_waiting, _header_lines, _bytes_of_header, _bytes_of_body, _chunks_of_body, _continues, _trailers],
    )
    def test_it_ends_the_exchange_whatever_the_server_does(self, answering: object) -> None:
        with serving(answering) as server:  # type: ignore[arg-type]
            began = time.monotonic()
            with pytest.raises(TimedOutError):
                get(server.url(), SECONDS)
            assert time.monotonic() - began < SECONDS + 2

    def test_it_ends_the_wait_for_a_handshake(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = time.monotonic()
            with pytest.raises(TimedOutError):
                get(f"https://{NAME}:{silent.getsockname()[1]}/", SECONDS)
            assert time.monotonic() - began < SECONDS + 2

    def test_it_ends_the_wait_for_a_name(self) -> None:
        over = threading.Event()
        began = time.monotonic()
        with pytest.raises(TimedOutError):
            get(f"http://{NAME}/", SECONDS, client(resolver=lambda *_: over.wait(FAR) and []))
        over.set()
        assert time.monotonic() - began < SECONDS + 2

    def test_it_ends_sending_to_a_server_that_does_not_read(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            began = time.monotonic()
            with (
                pytest.raises(TimedOutError),
                client().exchange("POST", url, deadline=began + SECONDS, body=b"a" * (64 << 20)),
            ):
                pass
            assert time.monotonic() - began < SECONDS + 2

    def test_one_that_has_passed_asks_nothing(self) -> None:
        with serving(lambda _: [whole(b"")]) as server, pytest.raises(TimedOutError):
            get(server.url(), -1.0)
        assert (server.connections, server.requests) == (0, [])

    def test_silence_ends_it_earlier(self) -> None:
        with serving(_waiting) as server, pytest.raises(TimedOutError):
            get(server.url(), FAR, client(limits=ExchangeLimits(silence_seconds=0.2)))


class TestSizes:
    @pytest.mark.parametrize(
        "endless", [b"X-Header: y\r\n", b"y" * 1000, b" ", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=lambda one: one[:8]
    )
    def test_a_header_without_an_end_is_no_answer(self, endless: bytes) -> None:
        first = b"" if endless.startswith(b"HTTP") else HEAD + b"X: "
        with (
            serving(lambda _: itertools.chain([first], itertools.repeat(endless))) as server,
            pytest.raises(BrokenAnswerError),
        ):
            get(server.url())

    @pytest.mark.parametrize(
        ("head", "endless"),
        [(b"\r\n", b"y" * 1000), (b"Transfer-Encoding: chunked\r\n\r\n", b"3e8\r\n" + b"y" * 1000 + b"\r\n")],
        ids=["to the end of the connection", "in chunks"],
    )
    def test_a_body_without_an_end_is_given_up(self, head: bytes, endless: bytes) -> None:
        with (
            serving(lambda _: itertools.chain([HEAD + head], itertools.repeat(endless))) as server,
            pytest.raises(AnswerTooLargeError),
        ):
            get(server.url(), made=client(limits=ExchangeLimits(body_bytes=100_000)))

    def test_framing_without_an_end_is_given_up(self) -> None:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
        with (
            serving(lambda _: itertools.chain([head], itertools.repeat(b"X: " + b"y" * 1000 + b"\r\n"))) as server,
            pytest.raises(BrokenAnswerError),
        ):
            get(server.url(), made=client(limits=ExchangeLimits(body_bytes=1000)))

    @pytest.mark.parametrize("size", [999, 1000])
    def test_a_body_may_be_as_large_as_the_limit(self, size: int) -> None:
        with serving(lambda _: [whole(b"a" * size)]) as server:
            assert get(server.url(), made=client(limits=ExchangeLimits(body_bytes=1000)))[1] == b"a" * size

    def test_a_body_that_announces_more_is_not_read(self) -> None:
        with serving(lambda _: [HEAD + b"Content-Length: 1001\r\n\r\n"]) as server, pytest.raises(AnswerTooLargeError):
            get(server.url(), made=client(limits=ExchangeLimits(body_bytes=1000)))

    def test_a_body_is_given_as_it_comes(self) -> None:
        second = threading.Event()

        def answering(_: Call) -> Iterator[bytes]:
            yield HEAD + b"Content-Length: 6\r\n\r\nabc"
            second.wait(FAR)
            yield b"def"

        with (
            serving(answering) as server,
            client().exchange("GET", server.url(), deadline=time.monotonic() + FAR) as answer,
        ):
            assert next(answer.chunks) == b"abc"
            second.set()
            assert answer.read() == b"def"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 0x5\r\n\r\nabcde",
        HEAD + b"Content-Length: 10\r\n\r\nabcde",
        HEAD + b"no header line\r\nContent-Length: 5\r\n\r\nabcde",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nno length\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
)
def test_what_is_no_whole_answer_is_broken(answer: bytes) -> None:
    with serving(lambda _: [answer]) as server, pytest.raises(BrokenAnswerError):
        get(server.url())


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    def answering(_: Call) -> list[bytes]:
        return [b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"]

    with serving(answering) as server:
        assert get(server.url("/one")) == (302, b"")
    assert len(server.requests) == 1


class TestAddresses:
    def test_a_name_is_resolved_once_and_the_checked_address_is_used(self) -> None:
        answers, asked = iter([["127.0.0.1"], ["169.254.169.254"]]), []

        def rebinding(host: str, port: int) -> list[str]:
            asked.append((host, port))
            return next(answers)

        with serving(lambda _: [whole(b"{}")]) as server:
            assert get(server.url(host=NAME), made=client(resolver=rebinding)) == (200, b"{}")
        assert asked == [(NAME, server.port)]
        assert f"Host: {NAME}:{server.port}".encode() in server.requests[0]

    @pytest.mark.parametrize(
        "addresses",
        [["127.0.0.1"], ["169.254.169.254"], ["93.184.215.14", "10.0.0.1"], ["::1"], ["::ffff:10.0.0.1"],
         ["64:ff9b::7f00:1"], ["fd00::1"], ["fe80::1%eth0"], ["0.0.0.0"], ["224.0.0.1"], ["100.64.0.1"], []],
    )  # fmt: skip
    def test_no_connection_is_made_where_it_is_not_public(
        self, addresses: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def forbidden(*_: object, **__: object) -> socket.socket:
            raise AssertionError("a connection was made")

        monkeypatch.setattr(socket, "create_connection", forbidden)
        with pytest.raises(RequestRefusedError):
            get(f"https://{NAME}/", made=HttpClient(resolver=lambda *_: addresses))

    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]"])
    def test_no_spelling_of_this_machine_is_public(self, host: str) -> None:
        with pytest.raises((RequestRefusedError, UnreachableError)):
            get(f"https://{host}/", made=HttpClient())

    def test_the_next_address_is_tried(self) -> None:
        with serving(lambda _: [whole(b"")]) as server:
            made = client(resolver=lambda *_: ["::1", "127.0.0.1"])  # nobody listens on the first
            assert get(server.url(host=NAME), made=made)[0] == 200

    def test_a_name_without_an_address_may_get_one(self) -> None:
        def failing(*_: object) -> list[str]:
            raise socket.gaierror("no such name")

        with pytest.raises(UnreachableError):
            get(f"https://{NAME}/", made=HttpClient(resolver=failing))

    def test_nobody_who_answers(self) -> None:
        with serving(lambda _: []) as server:
            pass
        with pytest.raises(UnreachableError, match="ConnectionRefusedError"):
            get(server.url())

    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
    def test_no_proxy_is_taken_from_the_environment(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        with serving(lambda _: [whole(b"{}")]) as server:
            assert get(server.url())[0] == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://service.example/",
        "ftp://service.example/",
        "file:///etc/passwd",
        "//service.example/",
        "https://",
        "https://user:word@service.example/",
        "https://service.example@evil.example/",
        "https://evil.example\\@service.example/",
        "https://service.example:99999/",
        "https://[::1/",
        "https://service.example/a b",
        "https://service.example/\r\nHost: evil.example",
        "https://sérvice.example/",
        "https://service.example/" + "a" * 5000,
        "",
    ],
)
def test_what_is_no_url_for_a_request_is_refused(url: str) -> None:
    with pytest.raises(RequestRefusedError) as raised:
        get(url, made=HttpClient(resolver=lambda *_: ["127.0.0.1"]))
    assert "example" not in str(raised.value)


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\r\nY": "b"}, {"X": "\u2028"}])
def test_a_header_that_would_be_two_is_refused(headers: dict[str, str]) -> None:
    with (
        serving(lambda _: [whole(b"")]) as server,
        pytest.raises(RequestRefusedError),
        client().exchange("GET", server.url(), deadline=time.monotonic() + FAR, headers=headers),
    ):
        pass
    assert server.requests == []


def test_no_message_holds_the_url() -> None:
    with serving(_waiting) as server, pytest.raises(TimedOutError) as raised:
        get(server.url("/secret-path?token=secret"), SECONDS)
    seen: BaseException | None = raised.value
    while seen is not None:
        assert "secret" not in str(seen)
        seen = seen.__cause__


class TestKeptConnections:
    def three(self, server: HostileServer, made: HttpClient) -> None:
        for _ in range(3):
            assert get(server.url(), made=made)[0] == 200
        made.close()

    def test_one_is_used_again_where_that_is_wanted(self) -> None:
        with serving(lambda _: [whole(b"{}")]) as server:
            self.three(server, client(kept_seconds=5.0))
        assert server.connections == 1

    def test_none_is_kept_otherwise(self) -> None:
        with serving(lambda _: [whole(b"{}")]) as server:
            self.three(server, client())
        assert server.connections == 3

    def test_one_that_the_server_closes_is_not_used_again(self) -> None:
        with serving(lambda _: [HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"]) as server:
            self.three(server, client(kept_seconds=5.0))
        assert server.connections == 3

    def test_what_comes_behind_an_answer_is_no_answer_to_the_next_request(self) -> None:
        forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
        with serving(lambda _: [whole(b"{}") + forged]) as server:
            made = client(kept_seconds=5.0)
            assert [get(server.url(), made=made) for _ in range(3)] == [(200, b"{}")] * 3
            made.close()

    def test_one_whose_body_was_not_read_is_not_used_again(self) -> None:
        with serving(lambda _: [whole(b"{}")]) as server:
            made = client(kept_seconds=5.0)
            for _ in range(2):
                with made.exchange("GET", server.url(), deadline=time.monotonic() + FAR) as answer:
                    assert answer.status == 200
        assert server.connections == 2

    def test_the_deadline_is_that_of_each_exchange(self) -> None:
        slow = [whole(b"{}")]

        def answering(call: Call) -> Iterator[bytes]:
            if len(slow) > 1:
                call.wait(FAR)
            slow.append(b"")
            yield slow[0]

        with serving(answering) as server:
            made = client(kept_seconds=5.0)
            get(server.url(), FAR, made)
            with pytest.raises(TimedOutError):
                get(server.url(), SECONDS, made)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the name, which is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
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
def served(certificate: Path) -> Iterator[HostileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(lambda _: [whole(b"{}")], tls=context) as server:
        yield server


class TestCertificates:
    """The certificate must be that of the name, though the connection goes to an address (RFC 9110, 4.3.4)."""

    @pytest.mark.parametrize("host", [NAME, f"{NAME}.", NAME.upper()])
    def test_one_of_the_name_is_good(self, certificate: Path, served: HostileServer, host: str) -> None:
        trusting = client(tls=ssl.create_default_context(cafile=str(certificate)), kept_seconds=5.0)
        url = served.url(host=host, scheme="https")
        assert [get(url, made=trusting) for _ in range(2)] == [(200, b"{}")] * 2
        assert served.connections == 1

    @pytest.mark.parametrize("host", ["other.example", f"sub.{NAME}", "127.0.0.1"])
    def test_one_of_another_name_is_not(self, certificate: Path, served: HostileServer, host: str) -> None:
        trusting = client(tls=ssl.create_default_context(cafile=str(certificate)))
        with pytest.raises(UnreachableError, match="SSLCertVerificationError"):
            get(served.url(host=host, scheme="https"), made=trusting)
        assert served.requests == []

    def test_one_of_an_authority_that_is_not_trusted_is_not(self, served: HostileServer) -> None:
        with pytest.raises(UnreachableError, match="SSLCertVerificationError"):
            get(served.url(host=NAME, scheme="https"))
