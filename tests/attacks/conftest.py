"""Attacks play against the same running stack."""

from tests.e2e.conftest import world

__all__ = ["world"]
