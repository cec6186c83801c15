"""A plan does not depend on identity providers: it ends in time, with the same changes and exit code."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from reconciler.core.idp import IdpSettings
from reconciler.core.planner import Choices
from reconciler.core.run_selection import Limits
from reconciler.core.state import LiveOrganization, Organization
from reconciler.idp.fetch_settings import FetchSettings
from reconciler.workflow.discovery import Providers
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.idp.provider import METADATA, write_authority
from tests.planning.readers import MemoryReader, Silent
from tests.support.values import SCOPE, WHEN, declared, live_connection, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import CompletedRun, Workplace

HANGING: Final = 100
LONGEST: Final = 15.0
"""Seconds that a plan of 100 changed connections may take while every provider hangs."""


@pytest.fixture
def hanging() -> Iterator[list[str]]:
    """Issuers on as many hosts of this machine, where connections are taken up and never answered."""
    with ExitStack() as stack:
        hosts = [f"127.0.1.{number}" for number in range(1, HANGING + 1)]
        servers = [stack.enter_context(socket.create_server((host, 0))) for host in hosts]
        yield ["https://{}:{}".format(*server.getsockname()) for server in servers]


def configure(place: Workplace, idp: str) -> None:
    file = write_authority(place.root)
    place.write(
        "reconciler.yaml",
        f"idp: {{ca_file: {file}, {idp}}}\n"
        "policies: {private-host: off, ip-literal-host: off, unpinned-organization: off}\n",
    )


def declare(place: Workplace, issuers: list[str]) -> None:
    """Declare one connection at each issuer, none of which exists."""
    for number, issuer in enumerate(issuers):
        place.emulator.add_organization(f"customer{number}")
        place.setenv(f"CUSTOMER{number}_CLIENT_SECRET", f"s3cr3t-of-{number}")
        place.declare(f"customer{number}", issuer=issuer)


def timed_plan(place: Workplace) -> tuple[CompletedRun, float]:
    began = time.monotonic()
    run = place.run("plan", "--format", "json", "--detailed-exitcode")
    return run, time.monotonic() - began


def changes(document: Any) -> list[Any]:
    """The changes of a plan without what is only predicted."""
    return [
        {name: value for name, value in change.items() if name != "issuer_metadata"}
        for change in document["resource_changes"]
    ]


@pytest.mark.parametrize(
    "timeout", [pytest.param(5, marks=pytest.mark.proofs, id="by default"), pytest.param(0.2, id="soon")]
)
def test_a_plan_ends_while_every_provider_hangs(place: Workplace, hanging: list[str], timeout: float) -> None:
    configure(place, "discovery: off")
    declare(place, hanging)
    without, _ = timed_plan(place)
    configure(place, f"timeout: {timeout}")
    run, seconds = timed_plan(place)
    assert seconds < LONGEST
    assert run.code == without.code == 2
    assert changes(run.document) == changes(without.document)
    (warning,) = run.document["diagnostics"]
    assert warning["code"] == "idp-unreachable"
    assert warning["summary"] == f"{HANGING} issuers not reached: is there a proxy?"


def test_a_provider_that_hangs_delays_no_other(
    place: Workplace, provider: ScriptedProvider, hanging: list[str]
) -> None:
    issuers = [f"{provider.issuer}/{number}" for number in range(20)]
    for number, issuer in enumerate(issuers):
        provider.answer(
            f"/{number}{METADATA}",
            {"issuer": issuer, "token_endpoint": f"{issuer}/token", "jwks_uri": f"{provider.issuer}/keys"},
        )
    configure(place, "timeout: 2")
    declare(place, [hanging[0], *issuers])
    run, _ = timed_plan(place)
    predicted = {
        change["organization"]: change["issuer_metadata"]["token_url"]
        for change in run.document["resource_changes"]
        if "issuer_metadata" in change
    }
    assert predicted == {f"customer{number}": f"{issuer}/token" for number, issuer in enumerate(issuers, 1)}
    assert run.codes.count("idp-unreachable") == 1


def test_a_plan_ends_while_the_resolver_hangs(
    place: Workplace, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, hung, over = socket.getaddrinfo, [], threading.Event()

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "localhost":
            hung.append(host)
            over.wait(60)
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    configure(place, "timeout: 1")
    declare(place, [f"{provider.issuer}/{number}" for number in range(3)])
    try:
        run, seconds = timed_plan(place)
    finally:
        over.set()
    assert hung == ["localhost"]
    assert seconds < LONGEST / 2
    assert run.code == 2
    assert [change["change"]["actions"] for change in run.document["resource_changes"]] == [["create"]] * 3
    assert run.codes == ["idp-unreachable"]
    assert provider.requests == []


def test_of_ten_thousand_connections_that_do_not_change_no_provider_is_asked(sockets: list[object]) -> None:
    fields = {"issuer": "https://login.example.com", "client_id": "client"}
    live, manifests = [], []
    for number in range(100):
        names = [f"c{index}" for index in range(100)]
        connections = [
            live_connection(1000 * number + index, display_name=name, **fields)
            for index, name in enumerate(names)
        ]
        organization = Organization(organization_id=f"organization-test-{number}", slug=f"o{number}")
        live.append(LiveOrganization(organization=organization, connections=tuple(connections)))
        manifests.append(
            manifest(f"o{number}", *(declared(name, organization=f"o{number}", **fields) for name in names))
        )
    providers = Providers(IdpSettings(), lambda: FetchSettings(tls=ssl.create_default_context()))
    plan = asyncio.run(
        plan_organizations(
            manifests,
            MemoryReader(*live),
            choices=Choices(secrets={}),
            limits=Limits(),
            metadata=PlanMetadata(scope=SCOPE, created_at=WHEN),
            progress=Silent(),
            providers=providers,
        )
    )
    assert plan.summary.unchanged == 10_000
    assert sockets == []
