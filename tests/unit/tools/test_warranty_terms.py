"""Warranty and return arithmetic."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.warranty import add_months, warranty_terms

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))
PERIODS = st.integers(min_value=0, max_value=3650)


def test_the_demo_purchase_has_warranty_to_january_and_returns_to_november() -> None:
    terms = warranty_terms(date(2025, 10, 15), date(2025, 11, 1), warranty_days=90, return_days=30)
    assert terms.warranty_expiration == date(2026, 1, 13)
    assert terms.warranty_status == "active"
    assert terms.return_deadline == date(2025, 11, 14)
    assert terms.return_eligible
    assert terms.legal_guarantee_until == date(2026, 4, 15)


def test_ninety_days_in_a_leap_year_end_on_the_last_of_march() -> None:
    terms = warranty_terms(date(2024, 1, 1), date(2025, 11, 17), warranty_days=90, return_days=30)
    assert terms.warranty_expiration == date(2024, 3, 31)
    assert terms.warranty_status == "expired"
    assert not terms.return_eligible


def test_the_last_day_still_counts_and_the_next_does_not() -> None:
    purchase = date(2025, 10, 15)
    for days_after, status, eligible in ((30, "active", True), (31, "active", False), (91, "expired", False)):
        today = purchase + timedelta(days=days_after)
        terms = warranty_terms(purchase, today, warranty_days=90, return_days=30)
        assert (terms.warranty_status, terms.return_eligible) == (status, eligible)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2025, 7, 1), 6, date(2026, 1, 1)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
    ],
)
def test_months_end_on_the_same_number_or_the_last_day(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(purchase=DAYS, today=DAYS, warranty_days=PERIODS, return_days=PERIODS)
def test_status_and_eligibility_follow_from_the_dates(
    purchase: date, today: date, warranty_days: int, return_days: int
) -> None:
    terms = warranty_terms(purchase, today, warranty_days=warranty_days, return_days=return_days)
    assert (terms.warranty_expiration - purchase).days == warranty_days
    assert (terms.return_deadline - purchase).days == return_days
    assert (terms.warranty_status == "active") == (today <= terms.warranty_expiration)
    assert terms.return_eligible == (today <= terms.return_deadline)


@given(purchase=DAYS)
def test_the_legal_guarantee_is_about_half_a_year_and_never_less_than_181_days(purchase: date) -> None:
    terms = warranty_terms(purchase, purchase, warranty_days=0, return_days=0)
    assert 181 <= (terms.legal_guarantee_until - purchase).days <= 184


@given(earlier=DAYS, later=DAYS)
def test_a_later_purchase_never_has_an_earlier_legal_guarantee(earlier: date, later: date) -> None:
    first, second = sorted((earlier, later))
    assert add_months(first, 6) <= add_months(second, 6)
