"""The words of a shop's own catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from tests.unit.agents.talk import BLACK, RED, SCOPE, Talk

from smarteros.agents.catalogue import MOST_TENANTS, MOST_WORDS, CatalogueWords
from smarteros.agents.entities import EntityExtractor
from smarteros.agents.gazetteer import base_gazetteer
from smarteros.domain.catalogue import CatalogueTitle
from smarteros.domain.decisions import DialogueState
from smarteros.domain.errors import TransientError
from smarteros.domain.tenants import TenantScope

OTHER = TenantScope(tenant_id="TENANT_OTHER")


@dataclass
class Shelf:
    """A source of titles that counts how often it is read."""

    known: dict[str, list[CatalogueTitle]] = field(default_factory=dict[str, list[CatalogueTitle]])
    reads: int = 0
    away: bool = False

    def titles(self, scope: TenantScope) -> Iterable[CatalogueTitle]:
        self.reads += 1
        if self.away:
            raise TransientError("shelf_away", "nobody there")
        return self.known.get(scope.tenant_id, [])


@pytest.fixture(scope="module")
def base() -> EntityExtractor:
    return EntityExtractor(base_gazetteer())


def shelf(*titles: CatalogueTitle) -> Shelf:
    return Shelf({SCOPE.tenant_id: list(titles)})


def test_a_thing_only_this_shop_sells_is_recognised_also_mistyped(base: EntityExtractor):
    words = CatalogueWords(shelf(CatalogueTitle(title="Casco Urbano Rojo", brand="Lazer")))
    extractor = words.extractor(SCOPE, base)
    assert extractor.extract("¿tienen cascos lazer rojos?").entities.model_dump(exclude_none=True) == {
        "category": "cascos",
        "brand": "Lazer",
        "color": "rojo",
    }
    assert extractor.extract("busco un cascco").entities.category == "cascos"


def test_the_kind_the_shop_system_tells_is_a_category_too(base: EntityExtractor):
    words = CatalogueWords(shelf(CatalogueTitle(title="Aurora 300", kind="Bicicletas")))
    assert words.extractor(SCOPE, base).extract("una bicicleta aro 29").entities.category == "bicicletas"


def test_one_shops_words_are_not_anothers(base: EntityExtractor):
    words = CatalogueWords(shelf(CatalogueTitle(title="Casco Urbano Rojo")))
    words.extractor(SCOPE, base)
    assert words.extractor(OTHER, base).extract("un casco").entities.category is None
    assert base.extract("un casco").entities.category is None


def test_words_known_to_all_stay_what_they_are(base: EntityExtractor):
    words = CatalogueWords(
        shelf(CatalogueTitle(title="Zapatilla Running Azul", brand="Nike"), CatalogueTitle(title="Pack 3 Poleras"))
    )
    taught = words.extractor(SCOPE, base)
    for text in ("zapatillas nike", "un pack de poleras"):
        assert taught.extract(text).entities == base.extract(text).entities


def test_lists_shown_to_customers_teach_words(talk: Talk):
    state = DialogueState(intent="product_query", offered=(RED, BLACK), pending="cart_offer")
    assert talk.ask("¿y otro casco más barato?", state=state).entities.category == "cascos"


def test_the_source_is_read_rarely_and_its_absence_does_no_harm(base: EntityExtractor):
    source = shelf(CatalogueTitle(title="Casco Urbano Rojo"))
    now = [0.0]
    words = CatalogueWords(source, refresh_s=60, monotonic=lambda: now[0])
    for _ in range(5):
        words.extractor(SCOPE, base)
    assert source.reads == 1
    now[0], source.away = 61.0, True
    assert words.extractor(SCOPE, base).extract("un casco").entities.category == "cascos"
    assert source.reads == 2


def test_neither_words_nor_tenants_grow_without_bound(base: EntityExtractor):
    letters = "bcdfghjklm"
    titles = [CatalogueTitle(title=f"Tu{a}i{b}o{c}e especial") for a in letters for b in letters for c in letters]
    words = CatalogueWords(shelf(*titles))
    extractor = words.extractor(SCOPE, base)
    known = sum(extractor.gazetteer.knows(title.title.split()[0].lower()) for title in titles)
    assert known <= MOST_WORDS
    for number in range(MOST_TENANTS + 20):
        words.extractor(TenantScope(tenant_id=f"TENANT_{number}"), base)
    assert len(words) <= MOST_TENANTS
