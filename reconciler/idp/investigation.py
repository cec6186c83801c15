"""Gathers the input of the checks: metadata, keys, a preflight, and a probe of the secret."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.connection import MASKED
from reconciler.http.urls import parse_url
from reconciler.idp.credential_probe import Prober, not_probed
from reconciler.idp.guarded_fetch import Cause, NoAnswer
from reconciler.idp.keys import KeySet, read_keys
from reconciler.idp.metadata import Document, metadata_url, text_of, with_client_id
from reconciler.idp.preflight import Verdict, run_preflight

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret
    from reconciler.idp.credential_probe import Probe
    from reconciler.idp.guarded_fetch import GuardedFetcher
    from reconciler.idp.metadata import Documents
    from reconciler.idp.preflight import Preflight

_OKTA: Final = "okta"
_NO_CONNECTION: Final = frozenset({Cause.UNREACHABLE, Cause.TLS, Cause.ADDRESS_REFUSED, Cause.NOT_ALLOWED})
"""Why a host gave no answer at all: another request to it would fare the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A connection to check, without its secret, as it is live or, before it exists, as it is declared.

    ``declared`` names the fields whose values are those of the manifest. ``has_expiry``: the manifest says
    when the secret expires. ``secret_is_guid``: its secret looks like an ID. ``had_metadata``: an
    earlier report read the metadata of this issuer.
    """

    connection: OidcConnection
    declared: frozenset[str] = frozenset()
    is_live: bool = True
    has_expiry: bool = False
    secret_is_guid: bool = False
    had_metadata: bool = False

    @property
    def issuer(self) -> str:
        """The issuer, byte for byte."""
        return self.connection.issuer or ""

    @property
    def provider(self) -> str:
        """The declared kind of identity provider."""
        return self.connection.identity_provider or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The responses for a connection. None means that the request was not sent.

    ``keys`` is a text if the document is no key set. ``now`` is the time of the checks in seconds since 1970.
    """

    subject: Subject
    metadata: Document | NoAnswer | None = None
    keys: KeySet | NoAnswer | str | None = None
    preflight: Preflight | None = None
    probe: Probe | None = None
    now: float = 0.0

    def published(self, name: str) -> str:
        """Return a text of the metadata, or nothing."""
        return text_of(self.metadata, name)

    def listed(self, name: str) -> tuple[str, ...] | None:
        """Return the texts of a list of the metadata, or None if there is no such list."""
        return self.metadata.texts(name) if isinstance(self.metadata, Document) else None


async def investigate(
    subject: Subject, documents: Documents, fetcher: GuardedFetcher, make_token: Callable[[], str] | None
) -> Evidence:
    """Ask the provider of a connection. Without ``make_token``, which returns random texts, no preflight."""
    async with fetcher.keep_connections(subject.issuer):
        evidence = await _read_documents(subject, documents, metadata_url(subject.issuer))
        if subject.provider == _OKTA and _is_suspicious(evidence):
            evidence = await _ask_for_client(evidence, documents)
        connection = subject.connection
        url = connection.authorization_url or text_of(evidence.metadata, "authorization_endpoint")
        is_complete = url and connection.client_id and connection.redirect_url and subject.is_live
        if make_token is None or not is_complete or _is_out_of_reach(url, evidence.metadata):
            return evidence
        return replace(evidence, preflight=await run_preflight(connection, url, fetcher, make_token))


async def probe_secret(
    evidence: Evidence, secret: Secret, fetcher: GuardedFetcher, make_token: Callable[[], str]
) -> Probe:
    """Send a secret to the live token endpoint, if there is one that may be asked."""
    connection, metadata = evidence.subject.connection, evidence.metadata
    if not evidence.subject.is_live:
        return not_probed("the connection does not exist yet")
    if not (connection.token_url and connection.client_id):
        return not_probed("the token_url or client_id is not known yet")
    if evidence.preflight and evidence.preflight.verdict is Verdict.CLIENT_UNKNOWN:
        return not_probed("the provider does not know the client")
    if MASKED in {connection.token_url, connection.client_id}:
        return not_probed("the token_url or client_id contains the secret")
    if _is_out_of_reach(connection.token_url, metadata):
        return not_probed(metadata.reason if isinstance(metadata, NoAnswer) else "")
    prober = Prober(connection=connection, secret=secret, fetcher=fetcher, make_token=make_token)
    return await prober.probe(evidence.listed("token_endpoint_auth_methods_supported"))


async def _read_documents(subject: Subject, documents: Documents, url: str) -> Evidence:
    metadata = await documents.metadata(url)
    keys_url = subject.connection.jwks_url or text_of(metadata, "jwks_uri")
    if not keys_url or _is_out_of_reach(keys_url, metadata):
        return Evidence(subject=subject, metadata=metadata)
    return Evidence(subject=subject, metadata=metadata, keys=await _read_keys(keys_url, documents))


async def _read_keys(url: str, documents: Documents) -> KeySet | NoAnswer | str:
    document = await documents.get(url)
    return read_keys(document) if isinstance(document, Document) else document


def _is_suspicious(evidence: Evidence) -> bool:
    """Tell whether the public metadata does not fit this connection."""
    is_other_issuer = text_of(evidence.metadata, "issuer") not in {"", evidence.subject.issuer}
    return is_other_issuer or (isinstance(evidence.keys, KeySet) and not evidence.keys.usable)


async def _ask_for_client(evidence: Evidence, documents: Documents) -> Evidence:
    """Ask once more for this client: Okta's issuer and keys can depend on it."""
    subject = evidence.subject
    client_id = subject.connection.client_id or ""
    metadata = await documents.metadata(with_client_id(metadata_url(subject.issuer), client_id))
    if not isinstance(metadata, Document):
        return evidence
    keys = evidence.keys
    if not (isinstance(keys, KeySet) and keys.usable) and (url := text_of(metadata, "jwks_uri")):
        url = url if "client_id=" in url else with_client_id(url, client_id)
        keys_for_client = await _read_keys(url, documents)
        keys = keys_for_client if isinstance(keys_for_client, KeySet) else keys
    return replace(evidence, metadata=metadata, keys=keys)


def _is_out_of_reach(url: str, metadata: Document | NoAnswer | None) -> bool:
    """Tell whether a URL need not be asked: its host has just given no answer, or must not be asked."""
    if not isinstance(metadata, NoAnswer) or metadata.cause not in _NO_CONNECTION:
        return False
    if metadata.cause is Cause.NOT_ALLOWED:  # the whole provider is left alone
        return True
    return parse_url(url).netloc.lower() == parse_url(metadata.url).netloc.lower()
