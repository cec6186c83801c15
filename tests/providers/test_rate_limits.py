"""How near the pace comes to what the service takes, and how few calls are refused on the way.

Everything is measured against what no caller could better: all that the limits allow, without pause.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.providers.rate_limit_simulation import Callers, Windows, always, changing, halved_after

CALLS = 3402
HALVED_BOUND = 1701 / 100 + 1701 / 50
"""Seconds for so many calls when the limit falls from a hundred per second to fifty midway."""


def halved(ahead: float = 0.0, *, tells: bool = False) -> Windows:
    return Windows(halved_after(CALLS // 2, 100), ahead=ahead, tells=tells)


@pytest.mark.parametrize(("began", "jitter"), [(0.0, 0.0), (0.4, 0.008)])
def test_at_the_service_s_own_limit_nothing_is_refused(began: float, jitter: float) -> None:
    service = Windows(always(100))
    seconds = Callers(began=began, jitter=jitter).send(service, 1500)
    assert not service.refused
    assert seconds < 15 * 1.013


@pytest.mark.parametrize(("began", "jitter"), [(0.0, 0.01), (0.37, 0.0), (0.75, 0.01), (0.9, 0.0)])
def test_when_the_limit_halves_midway_the_pace_follows(began: float, jitter: float) -> None:
    service = halved()
    seconds = Callers(began=began, jitter=jitter).send(service, CALLS)
    assert seconds < HALVED_BOUND * 1.04
    assert service.share < 0.002


def test_far_away_more_calls_are_refused_together_but_no_time_is_lost() -> None:
    service = halved()
    seconds = Callers(latency=0.1, began=0.75).send(service, CALLS)
    assert seconds < HALVED_BOUND * 1.04
    assert service.share < 0.006


def test_callers_without_a_place_wait_like_the_others() -> None:
    service = halved()
    seconds = Callers(at_once=300).send(service, CALLS)
    assert seconds < HALVED_BOUND * 1.04
    assert service.share < 0.002


@pytest.mark.parametrize("ahead", [-0.04, 0.04])
def test_clocks_may_differ_a_little(ahead: float) -> None:
    service = halved(ahead)
    assert Callers().send(service, CALLS) < HALVED_BOUND * 1.04
    assert service.share < 0.002


@pytest.mark.parametrize("ahead", [0.2, 0.5, 0.8])
def test_windows_may_begin_anywhere(ahead: float) -> None:
    service = halved(ahead)
    assert Callers().send(service, CALLS) < HALVED_BOUND * 1.22
    assert service.share < 0.005


@pytest.mark.parametrize("ahead", [0.0, 0.5])
def test_a_service_that_says_when_is_believed(ahead: float) -> None:
    service = halved(ahead, tells=True)
    assert Callers().send(service, CALLS) < HALVED_BOUND * 1.2
    assert service.share < 0.005
    first = service.refused[0]
    assert not [time for time in service.taken if first + 0.05 < time < first + 1]


def test_a_limit_may_halve_again_and_again() -> None:
    service = Windows(changing(100, (10, 50), (40, 25), (70, 12)))
    Callers().send(service, seconds=100)
    assert service.per_second(13, 40) > 47
    assert service.per_second(43, 70) > 23
    assert service.per_second(73, 100) > 11
    assert service.share < 0.005


def test_a_limit_that_stays_is_tried_rarely_and_gently() -> None:
    service = Windows(changing(100, (5, 50)))
    Callers().send(service, seconds=125)
    assert service.per_second(10, 120) > 47.5
    assert service.share < 0.002


@pytest.mark.parametrize("before", [50, 10])
def test_a_limit_that_comes_back_is_found(before: float) -> None:
    service = Windows(changing(100, (5, before), (60, 100)))
    Callers().send(service, seconds=160)
    assert service.per_second(130, 160) == pytest.approx(99, abs=1)
    assert service.share < 0.005


def test_after_a_time_in_which_nothing_is_taken_the_rate_is_what_it_was() -> None:
    service = Windows(changing(100, (10, 0), (60, 100)))
    Callers().send(service, seconds=90)
    assert service.per_second(70, 90) > 95
    assert len(service.refused) < 20


def test_a_service_that_takes_nothing_at_first_is_asked_ever_more_slowly() -> None:
    service = Windows(changing(0, (60, 100)))
    Callers().send(service, seconds=160)
    assert len(service.refused) < 100
    assert service.per_second(130, 160) > 95


def test_strangers_leave_a_share() -> None:
    service = Windows(changing(100, (10, 50)), others=30)
    Callers().send(service, seconds=40)
    assert service.per_second(0, 10) > 66
    assert service.per_second(13, 40) > 18
    assert service.share < 0.01


def test_those_too_few_for_the_rate_find_a_limit_below_their_own() -> None:
    service = Windows(changing(100, (10, 10)))
    Callers(at_once=2, latency=0.1).send(service, seconds=40)
    assert service.per_second(0, 10) > 19
    assert service.per_second(13, 40) > 9.3
    assert service.share < 0.02


@pytest.mark.parametrize(("rate", "limit"), [(10, 10), (10, 5), (10, 1), (5, 2), (2, 1), (1, 1)])
def test_low_rates_are_kept_as_well(rate: float, limit: float) -> None:
    service = Windows(always(limit))
    Callers(rate=rate, at_once=8).send(service, seconds=500)
    assert service.per_second(5, 500) > limit * 0.94
    assert service.share < 0.01


def test_far_above_the_limit_few_calls_are_refused() -> None:
    service = Windows(always(20))
    assert Callers(at_once=8).send(service, 1000) < 1000 / 20 * 1.05
    assert service.share < 0.01


@pytest.mark.parametrize(
    ("rate", "limit", "length"), [(10, 100, 60), (100, 100, 60), (20, 100, 10), (10, 30, 5)]
)
def test_longer_windows_are_no_reason_to_knock_again_and_again(
    rate: float, limit: float, length: float
) -> None:
    service = Windows(always(limit), length=length)
    Callers(rate=rate, at_once=8).send(service, seconds=400)
    assert sum(time < 60 for time in service.refused) <= 20
    assert service.share < 0.03
    assert service.per_second(60, 400) > limit / length * 0.75


def test_the_configured_rate_is_never_exceeded() -> None:
    """However calls come and go, no second holds more of them than that, wherever it begins."""
    service = Windows(changing(100, (5, 30), (12, 100)))
    Callers().send(service, seconds=130)
    sent = sorted(service.taken + service.refused)
    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[100:], strict=False))


@dataclass
class Outage(Windows):
    """Refuses everything for some seconds, and one call more when it has taken a few again; else nothing."""

    since: float = 60.0
    until: float = 75.0
    few: int = 5
    _taken_again: int = 0

    def takes(self, now: float) -> bool:
        self._taken_again += now >= self.until
        is_refused = self.since <= now < self.until or self._taken_again == self.few + 1
        (self.refused if is_refused else self.taken).append(now)
        return not is_refused


@pytest.mark.parametrize("rate", [10, 100])
@pytest.mark.parametrize("until", [62, 75])
@pytest.mark.parametrize("few", [5, 30])
@pytest.mark.parametrize("tells", [False, True])
def test_an_outage_is_no_limit_for_long(rate: float, until: float, few: int, *, tells: bool) -> None:
    service = Outage(always(1), tells=tells, until=until, few=few)
    Callers(rate=rate, at_once=8, places=8).send(service, seconds=600)
    assert service.per_second(80, 400) > rate / 20
    assert service.per_second(500, 600) > rate * 0.98
