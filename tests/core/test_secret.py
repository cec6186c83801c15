"""A secret refuses every way out but one."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from reconciler.core.connection import OidcConnection
from reconciler.core.secret import Locator, Secret, SecretReference

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "s3cret-~=!\nzweite Zeile"


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        lambda secret: f"{secret:>40}",
        "%s".__mod__,
        lambda secret: str([secret, {"key": secret}]),
        lambda secret: repr(OidcConnection(client_secret=secret)),
        lambda secret: str(asdict(OidcConnection(client_secret=secret))),
        lambda secret: json.dumps({"secret": secret}, default=str),
        lambda secret: str(vars(secret)) if hasattr(secret, "__dict__") else "",
    ],
)
def test_no_text_of_it_contains_the_value(show: Callable[[Secret], str]) -> None:
    assert "s3cret" not in show(Secret(VALUE))


@pytest.mark.parametrize("refused", [json.dumps, pickle.dumps, copy.copy, hash])
def test_it_refuses_to_be_serialised_copied_or_hashed(refused: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        refused(Secret(VALUE))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_the_one_way_out() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_equality_is_of_values() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret("0123") != Secret("123")
    assert Secret(VALUE) != VALUE


def test_bytes_that_are_no_text_can_be_compared_without_being_quoted() -> None:
    undecodable = b"s3cret\xff".decode("utf-8", "surrogateescape")
    assert Secret(undecodable) == Secret(undecodable)
    assert Secret(undecodable) != Secret("s3cret")


@pytest.mark.parametrize("mask", ["****", "abc***", "••••1234", "●●●"])
def test_masks_are_recognised(mask: str) -> None:
    assert Secret(mask).is_masked


@pytest.mark.parametrize("value", ["", "a*b", "**", VALUE])
def test_values_are_not_taken_for_masks(value: str) -> None:
    assert not Secret(value).is_masked


def test_emptiness() -> None:
    assert Secret("").is_empty
    assert not Secret(" ").is_empty


def test_a_reference_is_shown_as_written() -> None:
    locator = Locator("env", "NAME")
    reference = SecretReference("Bearer ${env:NAME}", ("Bearer ", locator))
    assert str(reference) == "Bearer ${env:NAME}"
    assert str(locator) == "${env:NAME}"
    assert reference.locators == (locator,)
