"""The limits of fetching, from the project file, the environment and the target."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UsageError
from reconciler.http.client import ssl_context
from reconciler.http.urls import is_loopback, parse_url
from reconciler.idp.addresses import INTERNET, AddressPolicy, allowed_by_both

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from reconciler.core.idp import IdpSettings
    from reconciler.idp.addresses import Network

NETWORKS_VARIABLE: Final = "RECONCILER_ALLOWED_NETWORKS"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """The bounds of a run. ``timeout`` is for one document, ``total_timeout`` for all, in seconds.

    ``allow_hosts`` are globs of host names; None allows all.
    """

    tls: ssl.SSLContext
    addresses: AddressPolicy = INTERNET
    allow_hosts: tuple[str, ...] | None = None
    timeout: float = 5.0
    total_timeout: float = 60.0
    concurrency: int = 16


def fetch_settings(
    settings: IdpSettings, root: Path, environment: Mapping[str, str], target_address: str
) -> FetchSettings:
    """Return the bounds of a run for a target; ``root`` is the folder of the project file.

    Raises:
        UsageError: the variable of networks is malformed, or certificates to trust cannot be read.
    """
    return FetchSettings(
        tls=_tls(settings, root),
        addresses=AddressPolicy(
            allowed=allowed_by_both(settings.allow_networks, _networks(environment)),
            allows_loopback=is_loopback(parse_url(target_address).hostname or ""),
        ),
        allow_hosts=settings.allow_hosts,
        timeout=settings.timeout,
        concurrency=settings.concurrency,
    )


def _networks(environment: Mapping[str, str]) -> Iterator[Network]:
    for text in environment.get(NETWORKS_VARIABLE, "").split(","):
        try:
            if text.strip():
                yield ip_network(text.strip())
        except ValueError:
            raise UsageError(
                f"{NETWORKS_VARIABLE} names {text.strip()!r}, which is not a network; use CIDR notation,"
                " such as 10.1.0.0/16, separated by commas"
            ) from None


def _tls(settings: IdpSettings, root: Path) -> ssl.SSLContext:
    context = ssl_context()
    if settings.ca_file:
        file = root / settings.ca_file
        problem = UsageError(
            f"`idp.ca_file` names {settings.ca_file!r}, which is not a PEM file with certificates below"
            " the folder of the project file"
        )
        if not file.is_file() or not _is_inside(file, root):
            raise problem
        try:
            context.load_verify_locations(file)
        except OSError as error:  # the TLS library's own error is one as well
            raise problem from error
    return context


def _is_inside(file: Path, root: Path) -> bool:
    """Whether a file is really below the folder of the project file, wherever links lead."""
    return Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root))
