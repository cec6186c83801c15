"""Prints the CPU milliseconds for one issuer: metadata and keys, over a new TLS connection to each."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time

from reconciler.core.connection import OidcConnection
from reconciler.idp.addresses import AddressPolicy
from reconciler.idp.fetch_settings import FetchSettings
from reconciler.idp.guarded_fetch import GuardedFetcher
from reconciler.idp.investigation import Subject, investigate
from reconciler.idp.metadata import Documents


async def _ask(issuers: list[str], tls: ssl.SSLContext) -> None:
    policy = AddressPolicy(allows_loopback=True)
    fetcher = GuardedFetcher(FetchSettings(tls=tls, addresses=policy))
    documents = Documents(fetcher)
    subjects = [Subject(connection=OidcConnection(issuer=issuer)) for issuer in issuers]
    await asyncio.gather(*(investigate(subject, documents, fetcher, None) for subject in subjects))


def main() -> None:
    """Ask the issuers of the arguments, after the file of their authority."""
    ca_file, *issuers = sys.argv[1:]
    tls = ssl.create_default_context(cafile=ca_file)
    asyncio.run(_ask(issuers[:1], tls))  # imports what is imported late
    started = time.process_time()
    asyncio.run(_ask(issuers, tls))
    print(1000 * (time.process_time() - started) / len(issuers))


if __name__ == "__main__":
    main()
