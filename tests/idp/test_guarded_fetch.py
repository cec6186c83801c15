"""The guard: forbidden addresses in every spelling open no socket, and no second look-up leads elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

import pytest

from reconciler.idp.addresses import AddressPolicy, resolve
from reconciler.idp.fetch_settings import FetchSettings
from reconciler.idp.guarded_fetch import Answer, Cause, GuardedFetcher, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

TLS: Final = ssl.create_default_context()

_HOSTS: Final = """
    localhost LOCALHOST localhost. 127.0.0.1 127.0.0.1. 127.1 127.0.1 127.255.255.254 0.0.0.0 0 00 0x0
    2130706433 017700000001 0x7f000001
    0x7F.1 0x7f.0.0.1 0177.0.0.1 0177.1 127.0.0.01 127.000.000.001 3232235521
    [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:1] [::127.0.0.1]
    [::10.0.0.1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [2002:7f00:1::]
    [2002:a9fe:a9fe::1] [2001:0:7f00:1::] [::ffff:a9fe:a9fe] [::ffff:10.0.0.1] [fe80::1] [fe80::1%25eth0]
    [fe80::1%eth0] [::1%25lo] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [100::1] [2001:db8::1]
    [5f00::1]
    169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 168.63.129.16
    192.0.0.192 100.100.100.200 10.0.0.1 10.1 172.16.0.1 192.168.1.1 192.168.257 100.64.0.1 198.18.0.1
    192.0.2.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 127.0.0.1:443 [::1]:443
    user@127.0.0.1 idp.example.com@127.0.0.1 ①②⑦.⓪.⓪.① 127。0。0。1 ⓛocalhost 1 1.1.1.1.1 0x 0x.0x.0 256.1.1.1
    """
"""Hosts of this machine, of its network, and of its cloud, as resolvers and parsers of URLs accept them."""

FORBIDDEN: Final = _HOSTS.split()


def fetch(url: str, resolver: FakeResolver, policy: AddressPolicy | None = None) -> Answer | NoAnswer:
    settings = FetchSettings(tls=TLS, addresses=policy or AddressPolicy(), timeout=2)
    return asyncio.run(GuardedFetcher(settings, resolver.resolve).get(url))


class FakeResolver:
    """Answers each look-up with the next answer; the last one counts for all later ones."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.hosts: list[str] = []

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        self.hosts.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


LOCAL: Final = ("127.0.0.1", "::1")
"""What a resolver says of `localhost`, and of a name whose owner means harm."""


def test_there_are_sixty_spellings() -> None:
    assert len(set(FORBIDDEN)) >= 60


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", FORBIDDEN)
def test_no_spelling_of_a_forbidden_address_opens_a_socket(
    host: str, scheme: str, sockets: list[object], created: list[object]
) -> None:
    answer = fetch(f"{scheme}://{host}/.well-known/openid-configuration", FakeResolver(LOCAL))
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.ADDRESS_REFUSED
    assert sockets == created == []


@pytest.mark.parametrize("host", [host for host in FORBIDDEN if "localhost" not in host.lower()])
def test_no_address_in_a_spelling_reaches_a_resolver(host: str, sockets: list[object]) -> None:
    resolver = FakeResolver(("8.8.8.8",))
    fetch(f"https://{host}/", resolver)
    assert resolver.hosts == []
    assert sockets == []


@pytest.mark.parametrize(
    "url", ["ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "https://", "https:///x",
            "//8.8.8.8/", "https://8.8.8.8:99999/",
            "https://a b/", "https://8.8.8.8/\n", "http://8.8.8.8/", ""]
)  # fmt: skip
def test_only_https_urls_are_fetched(url: str, sockets: list[object]) -> None:
    answer = fetch(url, FakeResolver(LOCAL))
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.ADDRESS_REFUSED
    assert sockets == []


def test_a_name_is_looked_up_once_and_connected_to_by_the_number_that_was_judged(
    sockets: list[object], created: list[object]
) -> None:
    """A resolver that answers with a public address first and with loopback second leads nowhere else."""
    resolver = FakeResolver(("8.8.8.8",), LOCAL)
    answer = fetch("https://rebinding.example.com/", resolver)
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.UNREACHABLE
    assert resolver.hosts == ["rebinding.example.com"]
    assert sockets == [("8.8.8.8", 443)]
    assert len(created) == 1


def test_a_name_is_looked_up_once_in_a_run(sockets: list[object]) -> None:
    """A second document of a host cannot be led elsewhere either."""
    resolver = FakeResolver(("8.8.8.8",), LOCAL)

    async def get_twice() -> None:
        fetcher = GuardedFetcher(FetchSettings(tls=TLS, timeout=2), resolver.resolve)
        await fetcher.get("https://rebinding.example.com/a")
        await fetcher.get("https://rebinding.example.com/b")

    asyncio.run(get_twice())
    assert resolver.hosts == ["rebinding.example.com"]
    assert sockets == [("8.8.8.8", 443)] * 2


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8", "127.0.0.1"), ("8.8.8.8", "::1"), ("2606:4700::1111", "fe80::1%eth0")]
)
def test_one_forbidden_address_of_a_name_is_enough(
    addresses: tuple[str, ...], sockets: list[object], created: list[object]
) -> None:
    answer = fetch("https://mixed.example.com/", FakeResolver(addresses))
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.ADDRESS_REFUSED
    assert addresses[1] in answer.reason
    assert sockets == created == []


def test_a_name_that_leads_to_loopback_is_refused_where_loopback_is_allowed(sockets: list[object]) -> None:
    """Where the target is on loopback, loopback hosts are allowed, and no name that somebody chose."""
    policy = AddressPolicy(allows_loopback=True)
    answer = fetch("https://idp.example.com/", FakeResolver(LOCAL), policy)
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.ADDRESS_REFUSED
    assert sockets == []
    fetch("http://127.0.0.1:9/", FakeResolver(LOCAL), policy)
    assert sockets == [("127.0.0.1", 9)]


def test_hosts_that_are_not_allowed_are_not_looked_up(sockets: list[object]) -> None:
    resolver = FakeResolver(("8.8.8.8",))
    settings = FetchSettings(tls=TLS, allow_hosts=("*.okta.com", "Login.Example.com"))

    async def get(url: str) -> Answer | NoAnswer:
        return await GuardedFetcher(settings, resolver.resolve).get(url)

    answer = asyncio.run(get("https://okta.com.evil.example/"))
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.NOT_ALLOWED
    assert resolver.hosts == []
    assert sockets == []
    asyncio.run(get("https://acme.okta.com/"))
    asyncio.run(get("https://login.example.com/"))
    assert resolver.hosts == ["acme.okta.com", "login.example.com"]


def test_with_a_proxy_literals_and_names_that_resolve_here_are_still_judged(
    sockets: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    for host, resolver in (("10.0.0.1", FakeResolver(())), ("idp.example.com", FakeResolver(LOCAL))):
        answer = fetch(f"https://{host}/", resolver)
        assert isinstance(answer, NoAnswer)
        assert answer.cause is Cause.ADDRESS_REFUSED
    assert sockets == []


def test_a_name_that_only_the_proxy_can_resolve_is_asked_through_it(
    sockets: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://203.0.113.9:3128")

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    fetcher = GuardedFetcher(FetchSettings(tls=TLS), unknown)
    asyncio.run(fetcher.get("https://idp.example.com/"))
    assert fetcher.uses_proxy
    assert sockets == [("203.0.113.9", 3128)]


def test_a_look_up_that_hangs_holds_up_neither_the_run_nor_its_end() -> None:
    async def hang(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        raise AssertionError

    settings = FetchSettings(tls=TLS, timeout=0.05)
    answer = asyncio.run(GuardedFetcher(settings, hang).get("https://idp.example.com/"))
    assert isinstance(answer, NoAnswer)
    assert answer.cause is Cause.UNREACHABLE


def test_all_documents_together_have_a_deadline() -> None:
    async def hang(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        raise AssertionError

    settings = FetchSettings(tls=TLS, timeout=30, total_timeout=0.1, concurrency=1)

    async def get_all() -> list[Answer | NoAnswer]:
        fetcher = GuardedFetcher(settings, hang)
        return await asyncio.gather(*(fetcher.get(f"https://idp{n}.example.com/") for n in range(5)))

    for answer in asyncio.run(get_all()):
        assert isinstance(answer, NoAnswer)
        assert "the time limit for all providers" in answer.reason


def test_a_failed_look_up_is_an_answer(sockets: list[object]) -> None:
    with pytest.raises(OSError, match="replaced"):
        asyncio.run(resolve("idp.example.com", 443))
    assert sockets == ["idp.example.com"]


def test_localhost_resolves_to_its_addresses() -> None:
    assert set(asyncio.run(resolve("127.0.0.1", 443))) == {"127.0.0.1"}
