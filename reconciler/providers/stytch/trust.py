"""Whose certificates are trusted: those that the environment names, or those that Mozilla does."""

from __future__ import annotations

import os
import ssl

import certifi

from reconciler.core.errors import UsageError


def trust_in(address: str) -> ssl.SSLContext:
    """Return whom to trust: no one where no TLS is spoken, since reading the certificates takes 30 ms.

    Raises:
        UsageError: what ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names cannot be read.
    """
    if address.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if folder and not file:
            return ssl.create_default_context(capath=folder)
        return ssl.create_default_context(cafile=file or certifi.where())
    except OSError as error:  # that of the TLS library is one, too
        raise UsageError(
            "the certificates to trust cannot be read;"
            " SSL_CERT_FILE and SSL_CERT_DIR, where set, have to name PEM files"
        ) from error
