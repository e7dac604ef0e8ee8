"""What is known of a shop's catalogue outside a conversation."""

from __future__ import annotations

from smarteros.domain.model import Model


class CatalogueTitle(Model):
    """A product's name and, where the shop system tells them, what kind of thing it is, who makes it and its tags."""

    title: str
    kind: str = ""
    brand: str = ""
    tags: tuple[str, ...] = ()
