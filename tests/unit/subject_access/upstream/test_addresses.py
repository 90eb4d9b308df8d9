import pytest

from waybill.subject_access.domain.upstream.addresses import AddressRefusedError, Destinations

HOSTS = "*.services.example, api.other.example:8443, http://127.0.0.1:*"


@pytest.mark.parametrize(
    "url",
    [
        "https://keyworker.services.example/subject-access-request",
        "https://a.b.services.example",
        "https://KEYWORKER.services.example./x",
        "https://api.other.example:8443/x?y=z",
        "http://127.0.0.1:8085/x",
        "http://127.0.0.1/x",
    ],
)
def test_allowed(url: str) -> None:
    assert Destinations.parse(HOSTS).check(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://keyworker.services.example/",
        "https://services.example/",
        "https://evilservices.example/",
        "https://keyworker.services.example:8443/",
        "https://keyworker.services.example.evil.example/",
        "https://api.other.example/",
        "https://127.0.0.1/",
        "https://user:word@keyworker.services.example/",
        "https://keyworker.services.example@evil.example/",
        "https://evil.example\\@keyworker.services.example/",
        "https://evil.example#@keyworker.services.example/",
        "//keyworker.services.example/",
        "/files/1",
        "ftp://keyworker.services.example/",
        "file:///etc/passwd",
        "https://keyworker.services.example:99999/",
        "https://[::1/",
        "https://keyworker.services.example/a b",
        "https://keyworker.services.example/\r\nHost: evil.example",
        "https://kéyworker.services.example/",
        "https://keyworker.services.example/" + "a" * 5000,
        "",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        Destinations.parse(HOSTS).check(url)


def test_an_empty_list_allows_nothing() -> None:
    with pytest.raises(AddressRefusedError):
        Destinations.parse("").check("https://keyworker.services.example/")


@pytest.mark.parametrize("entry", ["https://", "a/b", "*", "*.*.example", "a:b", "ftp://a", "a b"])
def test_an_unreadable_entry_is_refused_without_its_text(entry: str) -> None:
    with pytest.raises(ValueError, match=r"an entry is not") as raised:
        Destinations.parse(f"ok.example,{entry}")
    assert f"{entry} " not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_networks_that_are_not_public_are_closed(address: str) -> None:
    assert not Destinations.parse("a.example").permits(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_open(address: str) -> None:
    assert Destinations.parse("a.example").permits(address)


def test_a_private_network_opens_when_it_is_configured() -> None:
    destinations = Destinations.parse("a.example", "127.0.0.0/8, fd00::/8")
    assert [destinations.permits(each) for each in ("127.0.0.1", "::ffff:127.0.0.1", "fd12::1", "10.0.0.1")] == [
        True,
        True,
        True,
        False,
    ]
