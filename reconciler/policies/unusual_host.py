"""A URL leads to a host that no public identity provider has: an address, a private name, a look-alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.policies.rule import Rule
from reconciler.policies.urls import address, host, is_loopback, is_private
from reconciler.policies.values import written_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change


def _addresses(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if address(host(url)) is not None and not _is_emulator(url):
            yield f"{name} leads to the IP address {host(url)}"


def _private(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if host(url) and is_private(host(url)) and not _is_emulator(url):
            yield f"{name} leads to {host(url)}, which is not on the public Internet"


def _look_alikes(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if not host(url).isascii() or any(label.startswith("xn--") for label in host(url).split(".")):
            yield f"{name} has letters outside ASCII in its host: {host(url)}"


def _user_info(change: Change) -> Iterator[str]:
    for name, url in written_urls(change):
        if "@" in urlsplit(url).netloc:
            yield f"{name} has user information before its host {host(url)}"


def _is_emulator(url: str) -> bool:
    """Tell whether a URL leads to this machine without TLS, as those of emulators and nobody else do."""
    return urlsplit(url).scheme == "http" and is_loopback(host(url))


ADDRESS: Final = Rule(
    "ip-literal-host", _addresses, "no certificate authority vouches for who is behind an address"
)
PRIVATE: Final = Rule(
    "private-host",
    _private,
    "the server would be sent to look inside a network, or nobody could log in",
)
LOOK_ALIKE: Final = Rule(
    "punycode-host", _look_alikes, "such a name can look exactly like another one, and belong to a stranger"
)
USER_INFO: Final = Rule(
    "url-user-info", _user_info, "what stands before the @ is often taken for the host by who reads it"
)
