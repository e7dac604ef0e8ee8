"""Two machines that answer each other would never stop. Pure.

Own messages, other bots, templates and auto-replies are never answered; what is left are machines that look like
customers, another of our own tenants for instance. They are known by their tirelessness.
"""

from __future__ import annotations

from collections.abc import Sequence

# (replies, seconds): as many replies within so short a time are no conversation with a person. The second pair
# catches two slow machines, whose turns take so long that they stay below the first.
LIMITS = ((10, 60.0), (40, 1800.0))
LOOK_BACK_S = max(seconds for _, seconds in LIMITS)


def is_loop(reply_ages_s: Sequence[float]) -> bool:
    """Tell whether one reply more would be too many; ``reply_ages_s`` are seconds since each earlier reply."""
    return any(sum(age <= seconds for age in reply_ages_s) >= most for most, seconds in LIMITS)
