"""A hundred edits in the dashboard are taken into manifests of every style, and nothing else changes."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.manifests import load_manifests, load_project
from reconciler.manifests.export import why_undeclarable
from tests.import_and_pin.estate import fill
from tests.import_and_pin.strategies import HOSTILE, URLS
from tests.support.workplace import NO_CHANGES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import Workplace

    Edited = dict[str, set[tuple[str, str]]]
    """By file: the connections and fields that were edited."""

EDITS = 100
TEXTS = [text for text in HOSTILE if why_undeclarable("client_id", text) is None]
ISSUERS = [url for url in URLS if why_undeclarable("issuer", url) is None]
VALUES: dict[str, list[Any]] = {
    "display_name": [f"Renamed {number}: {text}"[:120] for number, text in enumerate(TEXTS)],
    "client_id": TEXTS,
    "issuer": ISSUERS,
    "identity_provider": ["okta", "generic", "microsoft-entra", "keycloak"],
    "authorization_url": ISSUERS,
    "token_url": ISSUERS,
    "userinfo_url": ISSUERS,
    "jwks_url": ISSUERS,
    "custom_scopes": ["openid", "email openid profile", "groups openid offline_access", "openid a:b"],
    "attribute_mapping": [{}, {"groups": "roles"}, {"a: b": "c # d", "team": "1"}],
}
FIELD = re.compile(r"    ([a-z_]+):")
CONNECTION = re.compile(r"  (\S+):$")


def test_a_hundred_live_edits_are_taken_over(place: Workplace) -> None:
    fill(place.emulator, 90)
    assert place.run("import", "--all", "--secrets", "none").code == 0
    for number, file in enumerate(sorted((place.root / "organizations").iterdir())):
        restyle(file, number)
    assert is_settled(place)
    before = contents(place)
    edited = edit_at_random(place)
    assert not is_settled(place)

    run = place.run("import", "--update", "--format", "json")
    assert run.code == 0
    left = [diagnostic["summary"] for diagnostic in run.document["diagnostics"]]
    assert [summary for summary in left if "`ignore_changes` names it" not in summary] == []
    taken = [update for organization in run.document["organizations"] for update in organization["updates"]]
    assert len(taken) == sum(map(len, edited.values()))
    assert is_settled(place)
    after = contents(place)
    assert {name for name in before if before[name] != after[name]} == {*edited}
    for name, places in edited.items():
        check_only(places, before[name].decode(), after[name].decode())
    assert not place.emulator.request_log.writes


def restyle(file: Path, number: int) -> None:
    """Write a manifest as different people would."""
    text = file.read_text()
    if number % 5 == 1:
        text = text.replace("\n", "\r\n")
    elif number % 5 == 2:
        text = "\ufeff" + text.replace("connections:\n", "connections:  # of this customer\n")
    elif number % 5 == 3:
        text = re.sub(r"custom_scopes: \[(.+)\]", as_lines, text).replace(
            "\n    client_id: ", "  # why\n    client_id: "
        )
    elif number % 5 == 4:
        text = json.dumps(yaml.safe_load(text), indent=2)
    file.write_bytes(text.encode())


def as_lines(match: re.Match[str]) -> str:
    return "custom_scopes:" + "".join(f"\n      - {scope}" for scope in match[1].split(", "))


def edit_at_random(place: Workplace) -> Edited:
    """Edit live connections, each field at most once; return what was edited where."""
    chance = random.Random(15)
    loaded = load_manifests((), load_project(None, place.root), {})
    declared = [
        (file.display_path, connection, name)
        for file in loaded.files
        for organization in file.organizations
        for connection in organization.connections
        for name in VALUES
        if getattr(connection.connection, name) is not None
        and name not in connection.lifecycle.ignore_changes
    ]
    edited: Edited = defaultdict(set)
    for path, connection, name in chance.sample(declared, 3 * EDITS):
        live = place.emulator.connection(connection.connection.connection_id or "")
        value = chance.choice(VALUES[name])
        if sum(map(len, edited.values())) < EDITS and differs(name, live[name], value):
            place.emulator.edit_connection(live["connection_id"], **{name: value})
            edited[path].add((connection.address.connection, name))
    assert sum(map(len, edited.values())) == EDITS
    return edited


def differs(name: str, live: Any, value: Any) -> bool:
    if name == "custom_scopes":
        return {*live.replace("%20", " ").split()} != {*value.split()}
    return bool(live != value)


def check_only(places: set[tuple[str, str]], before: str, after: str) -> None:
    """Check that everything but the named values is as it was."""
    if before.startswith("{"):
        assert json.dumps(without(places, json.loads(after)), indent=2) == json.dumps(
            without(places, json.loads(before)), indent=2
        )
        return
    assert other_lines(places, after) == other_lines(places, before)
    assert after.count("\r") == (after.count("\n") if before.count("\r") else 0)


def without(places: set[tuple[str, str]], document: dict[str, Any]) -> dict[str, Any]:
    for connection, name in places:
        document["connections"][connection][name] = None
    return document


def other_lines(places: set[tuple[str, str]], text: str) -> list[str]:
    """Return all lines but those of the named values, and of these the comments."""
    lines, connection, name = [], "", ""
    for line in text.splitlines():
        if match := CONNECTION.match(line):
            connection, name = match[1].strip("'\""), ""
        elif match := FIELD.match(line):
            name = match[1]
        elif not line.startswith("      "):
            name = ""
        comment = line[line.rfind("  # ") :] if "  # why" in line or "  # of" in line else ""
        lines.append(comment if (connection, name) in places else line)
    return [line for line in lines if line]


def contents(place: Workplace) -> dict[str, bytes]:
    folder = place.root / "organizations"
    return {f"organizations/{path.name}": path.read_bytes() for path in folder.iterdir()}


def is_settled(place: Workplace) -> bool:
    run = place.run("plan", "--detailed-exitcode")
    return run.code == 0 and NO_CHANGES in run.out
