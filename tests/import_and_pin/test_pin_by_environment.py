"""Pin writes ids by environment where a manifest needs or has them so, and keeps every other byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.manifests import Project
from reconciler.manifests.editing import NO_SAFE_PLACE, ManifestEditor, RefusedEdit
from reconciler.manifests.environments import RunEnvironment
from reconciler.manifests.pinning import Pin
from reconciler.secrets import SecretPolicy

ROOT = Path("/nowhere")
PROJECT = Project(
    directory=ROOT,
    root=ROOT,
    secret_policy=SecretPolicy(root=ROOT),
    environment=RunEnvironment("project-live-2"),
)
LIVE_ID = "oidc-connection-live-1"
LIVE_ORGANIZATION = "organization-live-1"


def pinned(text: str, **ids: str) -> str:
    """Pin connections by name, and the organization as ``organization``, in the only document."""
    editor, content = ManifestEditor(PROJECT, {}), text.encode()
    (declared,) = editor.declared(content, "x.yaml")
    pins = [
        Pin(declared.location, id_, None if name == "organization" else name) for name, id_ in ids.items()
    ]
    result, refused = editor.edited(content, "x.yaml", pins)
    assert not refused
    again, refused = editor.edited(result, "x.yaml", []), ()
    assert again == (result, ())
    return result.decode()


SHAPES = {
    "a single id of the other environment": (
        """\
organization: acme
organization_id: organization-test-1  # since May
connections:
  okta:
    # the pin
    connection_id:   "oidc-connection-test-1"   # by hand
    issuer: https://a.example
""",
        """\
organization: acme
organization_id:
  test: organization-test-1  # since May
  live: organization-live-1
connections:
  okta:
    # the pin
    connection_id:
      test: "oidc-connection-test-1"   # by hand
      live: oidc-connection-live-1
    issuer: https://a.example
""",
    ),
    "a map": (
        """\
organization: acme
organization_id: {test: organization-test-1}  # since May
connections:
  okta:
    issuer: https://a.example
    connection_id:
      # of the first tenant
      test: oidc-connection-test-1 # by hand

    client_id: x
""",
        """\
organization: acme
organization_id: {test: organization-test-1, live: organization-live-1}  # since May
connections:
  okta:
    issuer: https://a.example
    connection_id:
      # of the first tenant
      test: oidc-connection-test-1 # by hand
      live: oidc-connection-live-1

    client_id: x
""",
    ),
    "a new pin beside a map": (
        """\
organization: acme
organization_id: {test: organization-test-1}
connections:
  okta:
    issuer: https://a.example
""",
        """\
organization: acme
organization_id: {test: organization-test-1, live: organization-live-1}
connections:
  okta:
    connection_id:
      live: oidc-connection-live-1
    issuer: https://a.example
""",
    ),
    "a new organization pin beside a map": (
        """\
organization: acme
connections:
  okta: {connection_id: {test: oidc-connection-test-1}, issuer: https://a.example}
""",
        """\
organization: acme
organization_id:
  live: organization-live-1
connections:
  okta: {connection_id: {test: oidc-connection-test-1, live: oidc-connection-live-1}, issuer: https://a.example}
""",
    ),
    "flow": (
        "{organization: acme, organization_id: organization-test-1, connections: "
        "{okta: {connection_id: oidc-connection-test-1}}}",
        "{organization: acme, organization_id: {test: organization-test-1, live: organization-live-1}, "
        "connections: {okta: {connection_id: {test: oidc-connection-test-1, live: oidc-connection-live-1}}}}",
    ),
    "JSON": (
        '{"organization": "acme", "organization_id": "organization-test-1", "connections": '
        '{"okta": {"client_id": "x"}}}',
        '{"organization": "acme", "organization_id": {"test": "organization-test-1", '
        '"live": "organization-live-1"}, "connections": '
        '{"okta": {"connection_id": {"live": "oidc-connection-live-1"}, "client_id": "x"}}}',
    ),
    "a value below its key": (
        """\
organization: acme
organization_id:
  organization-test-1
connections:
  okta:
    connection_id: # why
      oidc-connection-test-1
""",
        """\
organization: acme
organization_id:
  {test: organization-test-1, live: organization-live-1}
connections:
  okta:
    connection_id: # why
      {test: oidc-connection-test-1, live: oidc-connection-live-1}
""",
    ),
    "line ends of Windows": (
        "organization: acme\r\norganization_id: organization-test-1\r\nconnections: "
        "{okta: {connection_id: oidc-connection-test-1}}\r\n",
        "organization: acme\r\norganization_id:\r\n  test: organization-test-1\r\n"
        "  live: organization-live-1\r\n"
        "connections: {okta: {connection_id: "
        "{test: oidc-connection-test-1, live: oidc-connection-live-1}}}\r\n",
    ),
    "entries for projects": (
        """\
organization: acme
organization_id:
  project-live-1: organization-live-9
connections:
  okta:
    connection_id: {project-test-1: oidc-connection-test-1}
""",
        """\
organization: acme
organization_id:
  project-live-1: organization-live-9
  project-live-2: organization-live-1
connections:
  okta:
    connection_id: {project-test-1: oidc-connection-test-1, live: oidc-connection-live-1}
""",
    ),
}


@pytest.mark.parametrize(("before", "after"), SHAPES.values(), ids=SHAPES)
def test_an_id_is_added_by_environment(before: str, after: str) -> None:
    """Product 2.1: `pin` makes a map when it adds a second environment, and extends the maps there are."""
    assert pinned(before, organization=LIVE_ORGANIZATION, okta=LIVE_ID) == after


def test_a_pin_that_only_becomes_a_map_keeps_its_id() -> None:
    """A connection that does not exist in this environment yet keeps the id that it has in the other."""
    before = "organization: acme\nconnections:\n  okta:\n    connection_id: oidc-connection-test-1 # x\n"
    after = before.replace("connection_id: ", "connection_id:\n      test: ")
    assert pinned(before, okta="") == after
    assert pinned(after, okta="") == after


def test_a_map_that_two_connections_share_is_refused() -> None:
    """An anchor stands for several pins, and an entry would be added to all of them."""
    text = (
        "organization: acme\nconnections:\n  a: {issuer: 'https://a.example', connection_id: &ids "
        "{project-live-7: oidc-connection-live-7}}\n  b: {issuer: 'https://b.example', connection_id: *ids}\n"
    )
    editor = ManifestEditor(PROJECT, {})
    (declared,) = editor.declared(text.encode(), "x.yaml")
    pin = Pin(declared.location, LIVE_ID, "b")
    assert editor.edited(text.encode(), "x.yaml", [pin]) == (
        text.encode(),
        (RefusedEdit(pin, NO_SAFE_PLACE),),
    )
