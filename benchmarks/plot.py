"""Draws how something grows, on logarithmic axes, as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 60
_COLORS: Final = ("#1f6feb", "#bf3989", "#1a7f37")


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity at several sizes."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(title: str, lines: Sequence[Line]) -> str:
    """Return an SVG image: sizes to the right, quantities upwards."""
    axes = _Axes(lines)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{title}" font-family="sans-serif" font-size="12">',
            f"<title>{title}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            f'<text x="{_WIDTH / 2}" y="20" text-anchor="middle" font-size="14">{title}</text>',
            *axes.grid(),
            *(mark for index, line in enumerate(lines) for mark in axes.line(line, index)),
            "</svg>\n",
        ]
    )


class _Axes:
    def __init__(self, lines: Sequence[Line]) -> None:
        points = [point for line in lines for point in line.points]
        self._left, self._right = (pick(log10(x) for x, _ in points) for pick in (min, max))
        self._bottom = int(min(log10(y) for _, y in points) // 1)
        self._top = int(max(log10(y) for _, y in points) // 1) + 1

    def grid(self) -> Iterator[str]:
        for power in range(self._bottom, self._top + 1):
            y = self._y(power)
            yield f'<path d="M{_MARGIN} {y:.1f}H{_WIDTH - _MARGIN}" stroke="#d0d7de"/>'
            yield f'<text x="{_MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,g}</text>'
        for power in range(round(self._left), round(self._right) + 1):
            x = self._x(power)
            yield f'<text x="{x:.1f}" y="{_HEIGHT - _MARGIN + 18}" text-anchor="middle">{10**power:,}</text>'
        yield f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 16}" text-anchor="middle">connections</text>'

    def line(self, line: Line, index: int) -> Iterator[str]:
        color = _COLORS[index % len(_COLORS)]
        places = [(self._x(log10(x)), self._y(log10(y)), y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        for x, y, value in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
            yield f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle" fill="{color}">{value:,.3g}</text>'
        yield f'<text x="{_MARGIN + 8}" y="{40 + 16 * index}" fill="{color}">{line.name}</text>'

    def _x(self, power: float) -> float:
        return _MARGIN + (power - self._left) / (self._right - self._left) * (_WIDTH - 2 * _MARGIN)

    def _y(self, power: float) -> float:
        share = (power - self._bottom) / (self._top - self._bottom)
        return _HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN)
