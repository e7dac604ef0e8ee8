"""What Cloud Vision costs: US$1.50 per 1,000 images after the first 1,000 of a month."""

from __future__ import annotations

FREE_IMAGES = 1000  # a month
MICRO_USD_PER_IMAGE = 1500


def cost_of(images: int) -> int:
    """What a month's images cost, in millionths of a US dollar."""
    return max(images - FREE_IMAGES, 0) * MICRO_USD_PER_IMAGE
