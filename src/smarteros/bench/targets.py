"""What the design asks for, beside what a run measured."""

from __future__ import annotations

from smarteros.bench.report import Report, Target


def targets(report: Report) -> tuple[Target, ...]:
    """Every target of the design that this run has a figure for."""
    found = [
        _most("webhook accepted durably, p99 at 200/s", report.accept.p99_ms, 50, "ms"),
        _most("webhook to reply of a FAQ turn with its calls on loopback, p95 at 20/s", report.turn.p95_ms, 100, "ms"),
        _most("native decide, p95", report.decide_p95_ms, 15, "ms"),
        _least("FAQ turns with full durability", report.best.turns_per_s, 100, "/s"),
    ]
    if report.photos is not None:
        found.append(_most("a phone's photo read, p95", report.photos.wall_p95_ms, 1500, "ms"))
    if report.demo is not None:
        found += [
            _most("demo ready", report.demo.ready_s, 5, "s"),
            _most("memory of the demo before the first photo", report.demo.memory_mb, 600, "MB"),
            _most("memory of the demo with every model", report.demo.memory_with_models_mb, 1200, "MB"),
        ]
    if report.mcp is not None:
        found += [
            _least("MCP calls for the CPU of a bare server's", report.mcp.share_of_bare, 80, "%"),
            _most("a trivial tool call by MCP, in process, p95", report.mcp.p95_ms, 10, "ms"),
        ]
        if report.mcp.socket_share is not None:
            found.append(_least("MCP calls/s over sockets, of a bare server's", report.mcp.socket_share, 80, "%"))
    return tuple(target for target in found if target is not None)


def _most(name: str, measured: float | None, limit: float, unit: str) -> Target | None:
    if measured is None:
        return None
    return Target(name=name, unit=unit, target=limit, at_most=True, measured=measured, met=measured < limit)


def _least(name: str, measured: float, limit: float, unit: str) -> Target:
    return Target(name=name, unit=unit, target=limit, at_most=False, measured=measured, met=measured >= limit)
