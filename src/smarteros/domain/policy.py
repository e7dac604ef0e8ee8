"""The figures of a shop's own warranty and return policy, in general and by category of products."""

from __future__ import annotations

import re

from pydantic import Field

from smarteros.domain.model import Model
from smarteros.kit.text import fold

_WORD = re.compile(r"[a-z0-9]+")


class CategoryPolicy(Model):
    """Where a category of products has figures of its own, in days."""

    warranty_days: int | None = None
    return_days: int | None = None


class Policy(Model):
    """The figures of a shop's own policy, in days; of its customers' tiers in purchases.

    ``withdrawal_days`` is stated by shops that sell at a distance. ``categories`` holds what differs by category; its
    keys are words joined by ``_``, for example ``ropa_interior``.
    """

    warranty_days: int | None = None
    return_days: int | None = None
    refund_working_days: int | None = None
    withdrawal_days: int | None = None
    regular_from_purchases: int = 2
    frequent_from_purchases: int = 10
    categories: dict[str, CategoryPolicy] = Field(default_factory=dict[str, CategoryPolicy])

    @classmethod
    def of_facts(cls, facts: dict[str, int]) -> Policy:
        """Read ``warranty_days`` and the like, and ``<category>_warranty_days`` or ``<category>_return_days``."""
        categories: dict[str, dict[str, int]] = {}
        for name, days in facts.items():
            for period in CategoryPolicy.model_fields:
                category = name.removesuffix(f"_{period}")
                if category != name:
                    categories.setdefault(category, {})[period] = days
        general = {name: days for name, days in facts.items() if name in cls.model_fields and name != "categories"}
        return cls.model_validate({**general, "categories": categories})

    def for_product(self, product_name: str) -> Policy:
        """Return the policy of a product, or of several joined by commas: of these the longest periods count.

        Of the categories a name belongs to, the one with most words decides.
        """
        each = [self._for_one(name) for name in product_name.split(", ")]
        longest: dict[str, int] = {}
        for period in CategoryPolicy.model_fields:
            stated: list[int] = [days for policy in each if (days := getattr(policy, period)) is not None]
            if stated:
                longest[period] = max(stated)
        if self.withdrawal_days is not None and "return_days" in longest:
            longest["return_days"] = max(longest["return_days"], self.withdrawal_days)
        return self.model_copy(update=longest)

    def _for_one(self, product_name: str) -> Policy:
        words = _WORD.findall(fold(product_name))
        belonging = [category for category in self.categories if _belongs(words, category)]
        if not belonging:
            return self
        own = self.categories[max(belonging, key=lambda category: (category.count("_"), len(category)))]
        stated = {name: days for name, days in own.model_dump().items() if days is not None}
        return self.model_copy(update=stated)


def _belongs(words: list[str], category: str) -> bool:
    """Whether a product's name has every word of a category, in singular or plural: ``zapatillas``, ``pantalones``."""
    stems = [_stem(word) for word in fold(category).split("_")]
    return all(any(_stem(word) == stem for word in words) for stem in stems)


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("es"):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word[-1] in "se" else word
