# SPDX-License-Identifier: EUPL-1.2
"""The overlap ledger: verdicts that depend on the records and their order alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from anonymise import LedgerError
from anonymise.statistics import (
    Answer,
    Answered,
    PrivateAnswer,
    Refusal,
    decode_record,
    encode_record,
)
from anonymise.statistics.cohort import cohort_of, marker
from tests.anonymise.statistics.people import KEY

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
MARK = marker(KEY)


def cohort(first, last):
    return cohort_of(MARK(f"P-{number}") for number in range(first, last))


def answer(first, last, *figures, layout="arrivals", minimum=10):
    told = tuple((("2026-W48",), cohort(*figure)) for figure in figures)
    return Answer(layout, NOW, minimum, cohort(first, last), told)


def private(epsilon=100_000, budget=250_000, at=NOW):
    return PrivateAnswer("needs", at, epsilon, budget, ((("CR",), 12),))


def test_a_record_of_nearly_the_same_people_is_void_and_changes_nothing():
    answered = Answered()
    assert answered.fold(answer(0, 100, (0, 50))) is None
    assert answered.fold(answer(0, 105, (60, 90))) is Refusal.OVERLAP
    assert answered.fold(answer(0, 130, (60, 90))) is None


def test_a_record_with_a_figure_too_close_to_an_answered_one_is_void():
    answered = Answered()
    assert answered.fold(answer(0, 100, (0, 50))) is None
    assert answered.fold(answer(0, 200, (0, 55))) is Refusal.OVERLAP
    assert answered.fold(answer(0, 200, (0, 55), layout="flows")) is Refusal.OVERLAP
    assert answered.fold(answer(0, 200, (0, 50))) is None
    assert answered.fold(answer(0, 300, (0, 60))) is None


def test_a_stricter_threshold_holds_against_what_a_milder_one_answered():
    answered = Answered()
    assert answered.fold(answer(0, 100, (0, 50))) is None
    assert answered.refuses(answer(0, 115, (60, 115), minimum=20)) is Refusal.OVERLAP
    assert answered.refuses(answer(0, 115, (60, 115), minimum=10)) is None


def test_two_folds_of_the_same_records_in_the_same_order_agree():
    records = [answer(0, 100, (0, 50)), answer(3, 100, (3, 50)), answer(0, 150, (0, 61)), private()]
    verdicts = [[Answered().fold(r) for r in records[:1]], []]
    one, other = Answered(), Answered()
    verdicts = [[folded.fold(record) for record in records] for folded in (one, other)]
    assert verdicts[0] == verdicts[1] == [None, Refusal.OVERLAP, None, None]


def test_epsilon_adds_up_within_a_month_and_is_refused_when_it_is_spent():
    answered = Answered()
    assert [answered.fold(private()) for _ in range(3)] == [None, None, Refusal.BUDGET]
    assert answered.spent("2026-11") == 200_000
    assert answered.fold(private(at=datetime(2026, 12, 1, tzinfo=UTC))) is None
    assert answered.spent("2026-12") == 100_000


def test_a_month_is_that_of_coordinated_universal_time():
    late = datetime.fromisoformat("2026-12-01T00:30:00+02:00")
    assert private(at=late).month == "2026-11"


def test_what_was_answered_privately_that_day_is_known_again():
    answered = Answered()
    answered.fold(private())
    assert answered.private("needs", "2026-11-24") == private()
    assert answered.private("needs", "2026-11-25") is None
    assert answered.private("arrivals", "2026-11-24") is None


def joint(*given, snapshot="aa" * 16, pattern="bb" * 16, **more):
    return replace(answer(*given, **more), snapshot=snapshot, pattern=pattern)


def test_tables_of_one_pattern_stand_beside_each_other_however_near_their_people():
    answered = Answered()
    assert answered.fold(joint(0, 100, (0, 50))) is None
    assert answered.fold(joint(0, 97, (0, 47), layout="claims")) is None


@pytest.mark.parametrize(
    "other",
    [{"pattern": "cc" * 16}, {"pattern": ""}, {"snapshot": "cc" * 16, "pattern": "cc" * 16}],
)
def test_tables_of_another_pattern_exclude_one_another_when_they_are_near(other):
    answered = Answered()
    assert answered.fold(joint(0, 100, (0, 50))) is None
    assert answered.fold(joint(0, 97, (60, 90), layout="claims", **other)) is Refusal.OVERLAP
    assert answered.fold(joint(0, 300, (0, 47), layout="claims", **other)) is Refusal.OVERLAP


def test_what_had_been_answered_before_a_snapshot_is_the_same_for_all_its_tables():
    answered = Answered()
    answered.fold(joint(0, 100, (0, 50), snapshot="11"))
    for layout in ("claims", "flows"):
        before = answered.before("22")
        assert before.tables == 1
        assert before.counts(cohort(0, 50))
        assert not before.counts(cohort(100, 150))
        assert answered.fold(joint(100, 200, (100, 150), layout=layout, snapshot="22")) is None
    assert answered.before("33") is answered
    assert answered.counts(cohort(100, 150))


def test_a_table_about_questions_comes_between_no_tables_about_people():
    answered = Answered()
    answered.fold(joint(0, 100, (0, 50)))
    answered.fold(answer(900, 950, (900, 920), layout="law_enforcement_questions"))
    assert answered.before("aa" * 16).tables == 0


@pytest.mark.parametrize(
    "record", [answer(0, 100, (0, 50), (50, 100)), private(), joint(0, 100, (0, 50))]
)
def test_a_record_reads_back_as_it_was_written(record):
    assert decode_record(encode_record("UNHCR", record)) == ("UNHCR", record)


def test_what_was_left_out_stands_in_the_record_too():
    record = replace(answer(0, 100, (0, 50)), left=((("2026-W47",), cohort(50, 54)),))
    assert decode_record(encode_record("UNHCR", record))[1] == record


DAMAGED = [
    b"",
    b"[]",
    b"{}",
    encode_record("UNHCR", private())[:-1],
    encode_record("UNHCR", private()).replace(b"needs", b"other"),
    encode_record("UNHCR", private()).replace(b'"v":1', b'"v":2'),
    encode_record("UNHCR", private()).replace(b"100000", b"1e5"),
    encode_record("UNHCR", private()).replace(b"100000", b"true"),
    encode_record("UNHCR", private()).replace(b":", b": "),
    encode_record("UNHCR", answer(0, 30, (0, 20))).replace(b'"whole":"A', b'"whole":"*'),
    encode_record("UNHCR", answer(0, 30, (0, 20))).replace(b'"left":[]', b'"left":0'),
    encode_record("UNHCR", joint(0, 30, (0, 20))).replace(b'"v":2', b'"v":1'),
    encode_record("UNHCR", joint(0, 30, (0, 20))).replace(b',"pattern":"' + b"bb" * 16 + b'"', b""),
]


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_a_record_that_was_not_written_so_is_refused(data):
    with pytest.raises(LedgerError):
        decode_record(data)
