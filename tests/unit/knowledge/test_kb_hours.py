"""Opening hours as data: read from the owner's words, answered with the Chilean calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.knowledge import Passage
from smarteros.kit.clock import SANTIAGO
from smarteros.knowledge.holidays import easter_sunday, holiday_on, holidays_of
from smarteros.knowledge.hours_model import Span
from smarteros.knowledge.hours_text import schedules_in
from smarteros.knowledge.opening_hours import OpeningHours, answer_about_hours

MONDAY_NOON = datetime(2026, 11, 23, 12, 30, tzinfo=SANTIAGO)
USUAL = "Lunes a viernes de 10:00 a 19:00, sábado 10-14, domingo cerrado."


def passage(
    text: str,
    title: str = "¿Cuál es el horario?",
    *,
    since: date | None = None,
    until: date | None = None,
    **other: str,
) -> Passage:
    return Passage.model_validate(
        {"document": "horarios.md", "title": title, "category": "horarios", "language": "es", "text": text,
         "valid_from": since, "valid_until": until, **other}
    )  # fmt: skip


SHOP = (passage(USUAL), passage("Los feriados está cerrado.", "¿Atienden los feriados?"))


def answer(question: str, now: datetime = MONDAY_NOON, shop: tuple[Passage, ...] = SHOP, language: str = "es") -> str:
    found = answer_about_hours(OpeningHours(shop), question, now, "en" if language == "en" else "es")
    return found.text if found else ""


def week(text: str) -> dict[int, list[tuple[float, float]]]:
    schedule = schedules_in(text)[0]
    return {day: [(s.opens / 60, s.closes / 60) for s in spans] for day, spans in schedule.days.items()}


@pytest.mark.parametrize(
    "text",
    [
        USUAL,
        "Nuestro horario es:\n• Lunes a Viernes: 10:00 a 19:00\n• Sábados: 10:00 a 14:00\n• Domingos: Cerrado",
        "Atendemos de 10 a 19 hrs de lunes a viernes y de 10 a 14 los sábados. Cerrado los domingos.",
        "Lun a Vie 10.00 - 19.00 hrs. Sáb 10 a 2. Dom cerrado",
        "Monday to Friday from 10am to 7pm, Saturday 10am - 2pm. Closed on Sundays.",
        "De lunes a viernes entre 10:00 y 19:00 horas; los sábados hasta las 14:00; los domingos no atendemos.",
        "Abierto todos los días de 10:00 a 19:00, excepto domingos. Los sábados de 10:00 a 14:00.",
    ],
)
def test_the_same_week_is_read_from_many_ways_to_write_it(text: str):
    assert week(text) == {**{day: [(10, 19)] for day in range(5)}, 5: [(10, 14)], 6: []}


def test_breaks_nights_and_single_days_are_read():
    assert week("Lunes a viernes 9:30 a 13:30 y 15:00 a 19:00")[0] == [(9.5, 13.5), (15, 19)]
    assert week("Lunes a viernes de 9 a 18 horas. A la hora de colación está cerrado de 14:00 a 15:00.")[4] == [
        (9, 14),
        (15, 18),
    ]
    assert week("Viernes y sábados de 18:00 a 02:00") == {4: [(18, 26)], 5: [(18, 26)]}
    schedule = schedules_in("El 24 y 31 de diciembre atendemos de 10:00 a 15:00.")[0]
    assert schedule.single_days == {(12, 24): (Span(600, 900),), (12, 31): (Span(600, 900),)}


@pytest.mark.parametrize(
    "text", ["", "Escríbenos.", "El despacho demora de 4 a 6 días hábiles.", "El primer sábado de cada mes a las 11:00"]
)
def test_what_is_no_timetable_gives_none(text: str):
    assert schedules_in(text) == ()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("¿están abiertos ahora?", "Hoy lunes 23 de noviembre atendemos de 10:00 a 19:00; ahora está abierto."),
        ("hasta que hora atienden hoy", "Hoy lunes 23 de noviembre atendemos de 10:00 a 19:00; ahora está abierto."),
        ("¿abren mañana?", "Mañana martes 24 de noviembre atendemos de 10:00 a 19:00."),
        ("abren pasado mañana", "El miércoles 25 de noviembre atendemos de 10:00 a 19:00."),
        ("¿abren el domingo?", "El domingo 29 de noviembre no atendemos."),
        ("los domingos abren?", "Los domingos no atendemos."),
        (
            "¿abren el sábado a las 3?",
            "No, el sábado 28 de noviembre a las 15:00 está cerrado: atendemos de 10:00 a 14:00.",
        ),
        (
            "el sabado a las 11 de la mañana estan?",
            "Sí, el sábado 28 de noviembre a las 11:00 está abierto: atendemos de 10:00 a 14:00.",
        ),
        (
            "el 8 de diciembre abren",
            "El martes 8 de diciembre es feriado (Inmaculada Concepción) y no atendemos.",
        ),
        ("abren pa navidad?", "El viernes 25 de diciembre es feriado (Navidad) y no atendemos."),
        ("¿y el 25?", "El miércoles 25 de noviembre atendemos de 10:00 a 19:00."),
        ("el viernes 18 abren?", "El viernes 18 de diciembre atendemos de 10:00 a 19:00."),
        ("27/11", "El viernes 27 de noviembre atendemos de 10:00 a 19:00."),
    ],
)
def test_questions_about_a_day_are_answered_for_that_day(question: str, expected: str):
    assert answer(question) == expected


def test_the_18th_is_the_national_holiday():
    september = datetime(2026, 9, 3, 12, 0, tzinfo=SANTIAGO)
    assert answer("¿y el 18?", september) == (
        "El viernes 18 de septiembre es feriado (Independencia Nacional) y no atendemos."
    )
    assert "18 de septiembre de 2027 es feriado" in answer("¿y el 18?")


def test_an_18th_that_is_near_is_the_one_meant():
    assert answer("¿y el 18?", datetime(2026, 11, 16, 9, 0, tzinfo=SANTIAGO)) == (
        "El miércoles 18 de noviembre atendemos de 10:00 a 19:00."
    )


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 23, 9, 0), "; ahora está cerrado. Abrimos hoy lunes 23 de noviembre a las 10:00."),
        (datetime(2026, 11, 23, 19, 0), "; ahora está cerrado. Abrimos mañana martes 24 de noviembre a las 10:00."),
        (datetime(2026, 11, 28, 13, 59), "; ahora está abierto."),
        (datetime(2026, 11, 28, 14, 0), "; ahora está cerrado. Abrimos el lunes 30 de noviembre a las 10:00."),
        (datetime(2026, 11, 29, 12, 0), "no atendemos. Abrimos mañana lunes 30 de noviembre a las 10:00."),
        (datetime(2026, 12, 7, 20, 0), "Abrimos el miércoles 9 de diciembre a las 10:00."),
    ],
)
def test_now_is_a_moment_of_chilean_time(now: datetime, expected: str):
    assert answer("están abiertos?", now.replace(tzinfo=SANTIAGO).astimezone(UTC)).endswith(expected)


def test_the_offset_of_summer_and_winter_time_is_kept():
    # 22:30 UTC is 19:30 in January (UTC-3) and 18:30 in July (UTC-4).
    assert "ahora está cerrado" in answer("están abiertos?", datetime(2026, 1, 14, 22, 30, tzinfo=UTC))
    assert "ahora está abierto" in answer("están abiertos?", datetime(2026, 7, 15, 22, 30, tzinfo=UTC))


def test_holidays_follow_what_the_shop_says_of_them():
    open_ = (passage(USUAL), passage("Domingos y feriados de 12:00 a 17:00. Solo cerramos los irrenunciables."))
    assert answer("abren el 8 de diciembre?", shop=open_).endswith("; ese día atendemos de 12:00 a 17:00.")
    assert answer("abren en navidad?", shop=open_).endswith("(Navidad) y no atendemos.")


def test_a_holiday_nobody_has_spoken_of_is_not_promised_either_way():
    said = answer("abren el 8 de diciembre?", shop=(passage(USUAL),))
    assert "no tengo confirmado el horario de ese día" in said
    assert "Un martes normal atendemos de 10:00 a 19:00" in said


def test_open_on_holidays_says_nothing_of_those_on_which_the_law_closes_shops():
    shop = (passage(USUAL), passage("Los feriados atendemos de 11:00 a 15:00.", "¿Y los feriados?"))
    assert "atendemos de 11:00 a 15:00" in answer("abren el 8 de diciembre?", shop=shop)
    assert "no tengo confirmado" in answer("abren el 25 de diciembre?", shop=shop)


def test_summer_hours_hold_in_summer():
    summer = passage("En enero y febrero atendemos de lunes a sábado de 9:00 a 14:00.", "¿Y en verano?")
    shop = (*SHOP, summer)
    assert "de 9:00 a 14:00" in answer("abren hoy?", datetime(2027, 1, 12, 10, 0, tzinfo=SANTIAGO), shop)
    assert "de 10:00 a 19:00" in answer("abren hoy?", shop=shop)


def test_hours_of_a_text_with_dates_hold_between_them():
    special = passage(
        "Lunes a domingo de 10:00 a 21:00.", "Horario especial", since=date(2026, 12, 10), until=date(2026, 12, 23)
    )
    assert "10:00 a 21:00" in answer("abren el 20 de diciembre?", shop=(*SHOP, special))
    assert "10:00 a 19:00" in answer("abren el 28 de diciembre?", shop=(*SHOP, special))


def test_hours_of_other_things_are_not_the_shops():
    others = (
        passage("De lunes a domingo de 8:00 a 23:00.", "¿A qué hora puedo retirar un pedido?"),
        passage("Respondemos todos los días de 8:00 a 23:00.", "¿Hasta qué hora responden el chat?"),
    )
    assert answer("abren el domingo?", shop=(*SHOP, *others)) == "El domingo 29 de noviembre no atendemos."
    assert answer("abren el domingo?", shop=others) == ""


def test_texts_that_contradict_each_other_are_not_answered_from():
    shop = (passage(USUAL), passage("Lunes a viernes de 9:00 a 18:00.", "Horarios"))
    assert answer("abren mañana?", shop=shop) == ""
    assert answer("abren el domingo?", shop=shop) == "El domingo 29 de noviembre no atendemos."


def test_without_hours_nothing_is_invented():
    assert answer("¿están abiertos ahora?", shop=()) == ""
    assert answer("¿están abiertos ahora?", shop=(passage("Escríbenos y te contamos."),)) == ""
    assert answer("abren el domingo?", shop=(passage("Lunes a viernes de 10:00 a 19:00."),)) == ""


def test_drafts_are_not_answered_from():
    assert answer("abren mañana?", shop=(passage(USUAL, approval="draft"),)) == ""


@pytest.mark.parametrize("question", ["¿cuál es el horario?", "a qué hora abren", "horario porfa", "", "🙂" * 500])
def test_a_question_without_a_day_is_left_to_the_passage(question: str):
    assert answer(question) == ""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("are you open now?", "Today, Monday, November 23 we are open from 10:00 to 19:00; we are open now."),
        ("are you open on sundays", "On Sundays we are closed."),
        ("open on saturday at 3pm?",
         "No, on Saturday, November 28 at 15:00 we are closed: our hours are from 10:00 to 14:00."),
        ("open on christmas?", "Friday, December 25 is a public holiday (Christmas Day) and we are closed."),
    ],
)  # fmt: skip
def test_english_questions_are_answered_in_english(question: str, expected: str):
    assert answer(question, language="en") == expected


def test_the_answer_names_its_passages_and_the_days_it_means():
    found = answer_about_hours(OpeningHours(SHOP), "abren mañana?", MONDAY_NOON)
    assert found is not None
    assert found.passages == SHOP
    assert "martes 24 de noviembre de 2026" in found.calendar


# Compared by hand with the calendars of feriados.cl and with PyPI's holidays 0.109 (years 2022 to 2040; it also has
# 16 September 2022, a single law).
MOVABLE = {
    2024: ["03-29", "03-30", "06-20", "06-29", "09-20", "10-12", "10-31"],
    2025: ["04-18", "04-19", "06-20", "06-29", "10-12", "10-31"],
    2026: ["04-03", "04-04", "06-21", "06-29", "10-12", "10-31"],
    2027: ["03-26", "03-27", "06-21", "06-28", "09-17", "10-11", "10-31"],
    2028: ["04-14", "04-15", "06-20", "06-26", "10-09", "10-27"],
    2029: ["03-30", "03-31", "06-20", "07-02", "09-17", "10-15", "11-02"],
    2030: ["04-19", "04-20", "06-21", "06-29", "09-20", "10-12", "10-31"],
}
FIXED = ["01-01", "05-01", "05-21", "07-16", "08-15", "09-18", "09-19", "11-01", "12-08", "12-25"]


@pytest.mark.parametrize("year", MOVABLE)
def test_the_public_holidays_of_a_year_are_these(year: int):
    assert sorted(day.strftime("%m-%d") for day in holidays_of(year)) == sorted(FIXED + MOVABLE[year])


@given(st.integers(2024, 2030))
def test_five_holidays_a_year_close_the_shops_by_law(year: int):
    mandatory = {(day.month, day.day) for day, holiday in holidays_of(year).items() if holiday.mandatory}
    assert mandatory == {(1, 1), (5, 1), (9, 18), (9, 19), (12, 25)}


@given(st.integers(2024, 2030))
def test_moved_holidays_never_fall_in_the_middle_of_a_week(year: int):
    for day, holiday in holidays_of(year).items():
        if holiday.es in {"San Pedro y San Pablo", "Encuentro de Dos Mundos"}:
            assert day.weekday() in {0, 5, 6}
        if holiday.es == "Día de las Iglesias Evangélicas":
            assert day.weekday() not in {1, 2}


@given(st.integers(1990, 2100))
def test_easter_is_a_sunday_between_its_bounds(year: int):
    easter = easter_sunday(year)
    assert easter.weekday() == 6
    assert date(year, 3, 22) <= easter <= date(year, 4, 25)


@given(st.integers(0, 7 * 365), st.integers(0, 23 * 60 + 59))
def test_the_answer_about_now_agrees_with_the_timetable(days: int, minutes: int):
    now = datetime(2024, 1, 1, tzinfo=SANTIAGO) + timedelta(days=days)
    now = now.replace(hour=minutes // 60, minute=minutes % 60)
    hours = {5: (600, 840), 6: (0, 0)}.get(now.weekday(), (600, 1140))
    is_open = holiday_on(now.date()) is None and hours[0] <= minutes < hours[1]
    assert OpeningHours(SHOP).open_at(now) is is_open
    assert ("ahora está abierto" in answer("están abiertos?", now)) is is_open


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_hours(text: str):
    schedules_in(text)
    answer_about_hours(OpeningHours((passage(text or "x"), *SHOP)), text, MONDAY_NOON)
