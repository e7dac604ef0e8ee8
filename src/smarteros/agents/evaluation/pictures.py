"""Two small diagrams as SVG: is the confidence honest, and what would each threshold answer."""

from __future__ import annotations

from collections.abc import Sequence

from smarteros.agents.evaluation.model import Bin, CurvePoint

_SIZE, _LEFT, _BOTTOM, _TOP, _RIGHT = 360, 52, 44, 34, 14
_INK, _GRID, _BARS, _LINE, _SECOND = "#1f2937", "#e5e7eb", "#bfdbfe", "#1d4ed8", "#b45309"
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def calibration_svg(bins: Sequence[Bin], title: str) -> str:
    """Draw how often the agent was right against how sure it was; bars show how many messages were that sure."""
    most = max((each.messages for each in bins), default=1)
    bars = "".join(
        f'<rect x="{_x(each.low):.1f}" y="{_y(0.25 * each.messages / most):.1f}" width="{_x(0.1) - _x(0) - 1:.1f}" '
        f'height="{_y(0) - _y(0.25 * each.messages / most):.1f}" fill="{_BARS}"/>'
        for each in bins
    )
    ideal = f'<path d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}" stroke="{_INK}" stroke-dasharray="4 4"/>'
    points = [(each.confidence, each.accuracy) for each in bins]
    drawn = _line(points, _LINE) + _dots(points, _LINE)
    legend = _note(0.03, 0.93, "right, of those this sure", _LINE) + _note(0.03, 0.86, "messages (bars)", "#60a5fa")
    return _picture(title, "confidence", "share right", bars + ideal + drawn + legend)


def curve_svg(curve: Sequence[CurvePoint], title: str) -> str:
    """Draw coverage and precision against the threshold from which a question is answered."""
    coverage = [(point.threshold, point.coverage) for point in curve]
    precision = [(point.threshold, point.precision) for point in curve]
    drawn = _line(coverage, _SECOND) + _dots(coverage, _SECOND) + _line(precision, _LINE) + _dots(precision, _LINE)
    legend = _note(0.03, 0.14, "precision: answered rightly", _LINE) + _note(0.03, 0.07, "coverage: answered", _SECOND)
    return _picture(title, "threshold", "share", drawn + legend)


def _picture(title: str, across: str, up: str, inside: str) -> str:
    grid = "".join(
        f'<path d="M{_x(t):.1f} {_y(0):.1f}V{_y(1):.1f}M{_x(0):.1f} {_y(t):.1f}H{_x(1):.1f}" stroke="{_GRID}"/>'
        f'<text x="{_x(t):.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{t:.1f}</text>'
        f'<text x="{_x(0) - 6:.1f}" y="{_y(t) + 4:.1f}" text-anchor="end">{t:.1f}</text>'
        for t in _TICKS
    )
    middle = (_x(0) + _x(1)) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIZE}" height="{_SIZE}" viewBox="0 0 {_SIZE} {_SIZE}" '
        f'font-family="sans-serif" font-size="11" fill="{_INK}" role="img"><title>{title}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{middle:.1f}" y="20" text-anchor="middle" font-size="13">{title}</text>{grid}'
        f'<text x="{middle:.1f}" y="{_SIZE - 10}" text-anchor="middle">{across}</text>'
        f'<text x="14" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 14 {middle:.1f})">{up}</text>'
        f'<g fill="none">{inside}</g></svg>\n'
    )


def _line(points: Sequence[tuple[float, float]], color: str) -> str:
    path = "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in points)
    return f'<path d="M{path}" stroke="{color}" stroke-width="2"/>' if points else ""


def _dots(points: Sequence[tuple[float, float]], color: str) -> str:
    return "".join(f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3" fill="{color}"/>' for x, y in points)


def _note(x: float, y: float, text: str, color: str) -> str:
    return f'<text x="{_x(x):.1f}" y="{_y(y):.1f}" fill="{color}">{text}</text>'


def _x(value: float) -> float:
    return _LEFT + value * (_SIZE - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _SIZE - _BOTTOM - value * (_SIZE - _BOTTOM - _TOP)
