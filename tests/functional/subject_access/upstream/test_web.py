"""HTTP with real sockets: addresses, deadlines, hang-ups."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from waybill.cli.subject_access.stub_service import Manner, StubReply, StubServer, StubService
from waybill.subject_access.adapters.web import HttpWeb, Timeouts
from waybill.subject_access.domain.upstream.addresses import Destinations
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError, TransientServiceError

LOOPBACK = "127.0.0.0/8"
_LONG = 60.0


def _get(web: HttpWeb, url: str, seconds: float = _LONG) -> tuple[int, bytes]:
    with web.get(url, parameters={"prn": "A1234AA"}, headers={}, deadline=time.monotonic() + seconds) as reply:
        return reply.status, b"".join(reply.chunks)


def _url(stub: StubServer, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{stub.port}/one/subject-access-request"


@pytest.fixture
def web() -> Iterator[HttpWeb]:
    made = HttpWeb(Destinations.parse("http://127.0.0.1:*", LOOPBACK), Timeouts(read=20))
    yield made
    made.close()


def _serving(stub: StubServer, reply: StubReply) -> None:
    stub.services["one"] = StubService([reply])


def test_a_name_is_resolved_once_and_the_checked_address_is_used(stub: StubServer) -> None:
    """A resolver that answers differently the second time (DNS rebinding) is not asked a second time."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[str]:
        asked.append(host)
        return next(answers)

    _serving(stub, StubReply(body=b"{}"))
    web = HttpWeb(Destinations.parse("http://service.example:*", LOOPBACK), resolver=rebinding)
    assert _get(web, _url(stub, "service.example")) == (200, b"{}")
    assert asked == ["service.example"]
    assert stub.calls[0].headers["host"] == f"service.example:{stub.port}"
    web.close()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["169.254.169.254"], ["93.184.215.14", "10.0.0.1"], ["::1"]])
def test_no_connection_is_made_into_a_private_network(
    stub: StubServer, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> socket.socket:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", forbidden)
    web = HttpWeb(Destinations.parse("http://service.example:*"), resolver=lambda *_: addresses)
    with pytest.raises(ServiceError) as raised:
        _get(web, _url(stub, "service.example"))
    assert raised.value.code is Code.ADDRESS_REFUSED
    assert not isinstance(raised.value, TransientServiceError)
    assert stub.calls == []
    web.close()


def test_a_name_without_an_address_may_get_one(stub: StubServer) -> None:
    def failing(*_: object) -> list[str]:
        raise socket.gaierror("no such name")

    web = HttpWeb(Destinations.parse("http://service.example:*"), resolver=failing)
    with pytest.raises(TransientServiceError) as raised:
        _get(web, _url(stub, "service.example"))
    assert raised.value.code is Code.UNREACHABLE
    web.close()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_is_taken_from_the_environment(
    stub: StubServer, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    _serving(stub, StubReply(body=b"{}"))
    web = HttpWeb(Destinations.parse("http://127.0.0.1:*", LOOPBACK))
    assert _get(web, _url(stub))[0] == 200
    web.close()


def test_redirects_are_not_followed(stub: StubServer, web: HttpWeb) -> None:
    _serving(stub, StubReply(302, headers={"Location": _url(stub).replace("one", "two")}))
    assert _get(web, _url(stub))[0] == 302
    assert [call.service for call in stub.calls] == ["one"]


@pytest.mark.parametrize("manner", [Manner.NEVER, Manner.TRICKLE, Manner.ENDLESS])
def test_a_deadline_ends_it_whatever_the_service_does(stub: StubServer, web: HttpWeb, manner: Manner) -> None:
    """A trickle of bytes, each within the time for one, does not prolong the whole."""
    _serving(stub, StubReply(manner=manner))
    with pytest.raises(TransientServiceError) as raised:
        _get(web, _url(stub), seconds=0.4)
    assert raised.value.code is Code.TIMED_OUT


def test_a_deadline_that_has_passed_asks_nothing(stub: StubServer, web: HttpWeb) -> None:
    with pytest.raises(TransientServiceError):
        _get(web, _url(stub), seconds=-1)
    assert stub.calls == []


def test_half_a_body_is_no_body(stub: StubServer, web: HttpWeb) -> None:
    _serving(stub, StubReply(body=b"a" * 1000, manner=Manner.CUT))
    with pytest.raises(TransientServiceError) as raised:
        _get(web, _url(stub))
    assert raised.value.code is Code.BROKE_OFF


def test_the_query_is_in_no_message(stub: StubServer, web: HttpWeb) -> None:
    _serving(stub, StubReply(manner=Manner.NEVER))
    with pytest.raises(TransientServiceError) as raised:
        _get(web, _url(stub), seconds=0.2)
    seen: BaseException | None = raised.value
    while seen is not None:
        assert "A1234AA" not in str(seen)
        seen = seen.__cause__


def test_connections_are_used_again(stub: StubServer, web: HttpWeb) -> None:
    _serving(stub, StubReply(body=b"{}"))
    opened: list[object] = []
    accept = stub._server.get_request

    def counted() -> object:
        opened.append(None)
        return accept()

    stub._server.get_request = counted  # type: ignore[method-assign,assignment]
    for _ in range(5):
        assert _get(web, _url(stub))[0] == 200
    assert len(opened) == 1


def test_deadlines_of_threads_do_not_mix(stub: StubServer, web: HttpWeb) -> None:
    stub.services["one"] = StubService([StubReply(body=b"{}", delay=0.5)])
    stub.services["two"] = StubService([StubReply(manner=Manner.NEVER)])
    results: dict[str, object] = {}

    def run(name: str, call: Callable[[], object]) -> None:
        try:
            results[name] = call()
        except TransientServiceError as error:
            results[name] = error.code

    threads = [
        threading.Thread(target=run, args=("one", lambda: _get(web, _url(stub)))),
        threading.Thread(target=run, args=("two", lambda: _get(web, _url(stub).replace("one", "two"), 0.2))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"one": (200, b"{}"), "two": Code.TIMED_OUT}


@pytest.mark.parametrize(
    "answer",
    [
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"",
    ],
    ids=["noise", "two lengths", "negative length", "endless head", "nothing"],
)
def test_what_is_no_http_is_an_answer_that_broke_off(web: HttpWeb, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(TransientServiceError) as raised:
            _get(web, f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()
    assert raised.value.code is Code.BROKE_OFF
