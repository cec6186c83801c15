"""Patterns for the texts of a manifest, in a dialect that Rust, Python and JavaScript share."""

from __future__ import annotations

import re
from typing import Final

ORGANIZATION_ID: Final = r"^organization-[A-Za-z0-9-]{1,115}$"
CONNECTION_ID: Final = r"^oidc-connection-[A-Za-z0-9-]{1,112}$"
ORGANIZATION: Final = r"^[A-Za-z0-9._~|-]{2,128}$"
"""An organization_id, a slug or an external id (their alphabets: parameter docs of the API)."""

CONNECTION_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
RULE: Final = r"^[a-z][a-z0-9-]{0,127}$"

TRIMMED: Final = r"^[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
SCOPE: Final = r"^[\x21\x23-\x5b\x5d-\x7e]+$"
"""A scope token of RFC 6749, section 3.3."""

_LOOPBACK: Final = r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])"
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])"
"""An address in brackets, or a name whose labels have 1 to 63 characters (RFC 1035, section 2.3.4)."""

PORT: Final = (
    r"(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6(?:[0-4][0-9]{3}|5(?:[0-4][0-9]{2}|5(?:[0-2][0-9]|3[0-5])))))?"
)
"""At most 65535."""

_PATH: Final = r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?"
_QUERY: Final = r"(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?"
ORIGIN: Final = rf"(?:https://{HOST}|http://{_LOOPBACK}){PORT}"
"""Scheme, host and port of a URL (RFC 6454)."""

ISSUER: Final = rf"^{ORIGIN}{_PATH}$"
"""A URL without query and fragment (OpenID Connect Discovery 1.0, section 3)."""

ENDPOINT: Final = rf"^{ORIGIN}{_PATH}{_QUERY}$"

UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]",
)
"""Characters that are invisible, or change how others are displayed (control, bidi, zero width)."""

PROJECT_ID: Final = r"^project-(?:test|live)-[A-Za-z0-9-]{1,100}$"
PUBLIC_TOKEN: Final = r"^public-token-(?:test|live)-[A-Za-z0-9-]{1,100}$"  # noqa: S105 - the shape, not a token
BASE_URL: Final = rf"^{ORIGIN}/?$"
GLOB: Final = r"^[^/\x00-\x1f\x7f\\][^\x00-\x1f\x7f\\]*$"
"""A glob relative to the project's folder, with slashes."""
