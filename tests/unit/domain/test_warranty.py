"""Warranty, legal guarantee and returns on every kind of day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.policy import Policy
from smarteros.domain.warranty import (
    SIX_MONTHS_SINCE,
    add_months,
    legal_guarantee_until,
    warranty_terms,
)
from smarteros.kit.clock import in_santiago
from smarteros.kit.words import date_in_words

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))
PERIODS = st.integers(min_value=0, max_value=4000)
SANTIAGO = ZoneInfo("America/Santiago")


def test_the_demo_purchase_has_warranty_to_january_and_returns_to_november() -> None:
    terms = warranty_terms(date(2025, 10, 15), date(2025, 11, 1), warranty_days=90, return_days=30)
    assert (terms.warranty_expiration, terms.warranty_status) == (date(2026, 1, 13), "active")
    assert (terms.return_deadline, terms.return_eligible) == (date(2025, 11, 14), True)
    assert terms.legal_guarantee_until == date(2026, 4, 15)


def test_ninety_days_in_a_leap_year_end_on_the_last_of_march() -> None:
    terms = warranty_terms(date(2024, 1, 1), date(2025, 11, 17), warranty_days=90, return_days=30)
    assert (terms.warranty_expiration, terms.warranty_status) == (date(2024, 3, 31), "expired")
    assert not terms.return_eligible


@pytest.mark.parametrize(
    ("purchase", "until"),
    [
        (date(2021, 12, 23), date(2022, 3, 23)),
        (date(2021, 12, 24), date(2022, 6, 24)),
        (date(2025, 10, 15), date(2026, 4, 15)),
        (date(2023, 8, 29), date(2024, 2, 29)),
        (date(2024, 8, 31), date(2025, 2, 28)),
        (date(2024, 2, 29), date(2024, 8, 29)),
        (date(2025, 12, 31), date(2026, 6, 30)),
    ],
)
def test_the_law_gives_six_months_and_gave_three_before_law_21398(purchase: date, until: date) -> None:
    assert legal_guarantee_until(purchase) == until


@given(purchase=DAYS, today=DAYS, warranty_days=PERIODS, return_days=PERIODS)
def test_no_policy_of_a_shop_shortens_the_legal_guarantee(
    purchase: date, today: date, warranty_days: int, return_days: int
) -> None:
    terms = warranty_terms(purchase, today, warranty_days=warranty_days, return_days=return_days)
    assert terms.legal_guarantee_until == legal_guarantee_until(purchase)
    months = 6 if purchase >= SIX_MONTHS_SINCE else 3
    assert terms.legal_guarantee_until >= purchase + timedelta(days=months * 30 - 2)


@given(purchase=DAYS, warranty_days=PERIODS, return_days=PERIODS)
def test_the_last_day_counts_whole_and_the_next_one_not_at_all(
    purchase: date, warranty_days: int, return_days: int
) -> None:
    def on(day: date) -> tuple[str, bool]:
        terms = warranty_terms(purchase, day, warranty_days=warranty_days, return_days=return_days)
        return terms.warranty_status, terms.return_eligible

    assert on(purchase + timedelta(days=warranty_days))[0] == "active"
    assert on(purchase + timedelta(days=warranty_days + 1))[0] == "expired"
    assert on(purchase + timedelta(days=return_days))[1]
    assert not on(purchase + timedelta(days=return_days + 1))[1]


@given(purchase=DAYS, today=DAYS, return_days=PERIODS)
def test_a_sale_at_a_distance_may_be_withdrawn_from_for_ten_days_whatever_the_shop_says(
    purchase: date, today: date, return_days: int
) -> None:
    terms = warranty_terms(purchase, today, warranty_days=90, return_days=return_days, at_a_distance=True)
    assert (terms.return_deadline - purchase).days == max(return_days, 10)


@given(today=DAYS, ahead=st.integers(1, 400))
def test_a_purchase_of_a_day_still_to_come_has_all_its_rights(today: date, ahead: int) -> None:
    terms = warranty_terms(today + timedelta(days=ahead), today, warranty_days=0, return_days=0)
    assert (terms.warranty_status, terms.return_eligible) == ("active", True)
    assert terms.legal_guarantee_until > today


@given(days=st.integers(0, 10**9))
def test_a_warranty_for_ever_ends_with_the_calendar(days: int) -> None:
    terms = warranty_terms(date(2026, 1, 1), date(2026, 1, 1), warranty_days=days, return_days=days)
    assert terms.warranty_expiration <= date.max
    assert warranty_terms(date.max, date.max, warranty_days=days, return_days=0).legal_guarantee_until == date.max


@pytest.mark.parametrize(("warranty_days", "return_days"), [(-1, 0), (0, -1)])
def test_a_negative_period_is_a_mistake_and_not_a_term(warranty_days: int, return_days: int) -> None:
    with pytest.raises(ValueError, match="fewer than 0"):
        warranty_terms(date(2026, 1, 1), date(2026, 1, 1), warranty_days=warranty_days, return_days=return_days)


@given(day=DAYS, months=st.integers(0, 240))
def test_months_keep_the_number_of_the_day_or_end_with_the_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 1, 14, 2, 59, tzinfo=UTC), date(2026, 1, 13)),  # 23:59 in summer
        (datetime(2026, 1, 14, 3, 0, tzinfo=UTC), date(2026, 1, 14)),
        (datetime(2026, 7, 14, 3, 59, tzinfo=UTC), date(2026, 7, 13)),  # 23:59 in winter
        (datetime(2026, 7, 14, 4, 0, tzinfo=UTC), date(2026, 7, 14)),
        (datetime(2026, 4, 5, 3, 30, tzinfo=UTC), date(2026, 4, 4)),  # the hour that comes twice
        (datetime(2026, 9, 6, 4, 0, tzinfo=UTC), date(2026, 9, 6)),  # the midnight that does not exist
    ],
)
def test_a_day_ends_at_midnight_in_chile_also_when_the_clocks_change(instant: datetime, day: date) -> None:
    assert in_santiago(instant).date() == day


@given(day=DAYS, hour=st.integers(3, 20))
def test_the_chilean_day_of_a_chilean_hour_is_that_day(day: date, hour: int) -> None:
    instant = datetime(day.year, day.month, day.day, hour, tzinfo=SANTIAGO).astimezone(UTC)
    assert in_santiago(instant).date() == day


@pytest.mark.parametrize(
    ("day", "spanish", "english"),
    [
        (date(2026, 1, 13), "13 de enero de 2026", "January 13, 2026"),
        (date(2024, 2, 29), "29 de febrero de 2024", "February 29, 2024"),
        (date(2025, 9, 1), "1 de septiembre de 2025", "September 1, 2025"),
    ],
)
def test_a_last_day_is_said_in_words(day: date, spanish: str, english: str) -> None:
    assert (date_in_words(day, "es"), date_in_words(day, "en")) == (spanish, english)


FACTS = {
    "warranty_days": 90,
    "return_days": 30,
    "refund_working_days": 7,
    "legal_warranty_months": 6,
    "zapatillas_warranty_days": 180,
    "ropa_interior_return_days": 0,
    "pantalones_return_days": 45,
}


@pytest.mark.parametrize(
    ("product", "warranty_days", "return_days"),
    [
        ("Zapatilla Running Azul", 180, 30),
        ("ZAPATILLAS URBANAS", 180, 30),
        ("Pack Ropa Interior Algodón", 90, 0),
        ("Pantalón Lino", 90, 45),
        ("Bota Trekking", 90, 30),
        ("Zapatilla Running, Pantalón Lino", 180, 45),
        ("Ropa Interior, Bota Trekking", 90, 30),
    ],
)
def test_a_category_may_have_a_policy_of_its_own(product: str, warranty_days: int, return_days: int) -> None:
    policy = Policy.of_facts(FACTS).for_product(product)
    assert (policy.warranty_days, policy.return_days) == (warranty_days, return_days)
    assert policy.refund_working_days == 7


def test_a_shop_that_sells_at_a_distance_never_states_fewer_days_than_the_law() -> None:
    policy = Policy.of_facts({"warranty_days": 30, "return_days": 5, "withdrawal_days": 10})
    assert policy.for_product("Bota").return_days == 10
