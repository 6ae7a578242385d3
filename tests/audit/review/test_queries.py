# SPDX-License-Identifier: EUPL-1.2
"""Look-ups find exactly what a look at every entry finds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import LogUnavailableError
from audit.review import postings
from audit.review.index import Indexer
from audit.review.index_file import create_index, open_index
from audit.review.queries import Filter, count, find
from tests.audit.making import NOON, ORIGIN
from tests.audit.review.holding import KEY, UNSEALER, Held, accesses

SIZE = 60
OPTIONS = {
    "officers": ("officer", [f"officer-{n}" for n in range(4)]),
    "units": ("unit", ["unit-0", "unit-1"]),
    "persons": ("person", ["PERSON-3", "PERSON-9", "asked-7", "nobody"]),
    "cases": ("case", ["CASE/3", "CASE/12"]),
    "purposes": ("purpose", ["law_enforcement", "border_check"]),
    "decisions": ("decision", ["deny", "allow"]),
    "rules": ("rule", ["BA-A00", "BA-A01"]),
    "countries": ("country", ["HR", "BA", "RS"]),
    "kinds": ("kind", ["access", "denial"]),
}


def truly(name, value, number):
    """Whether the access with this number has the value, by the way it was made."""
    police, refused = number % 5 == 0, number % 4 == 3
    return (
        value
        in {
            "officers": {f"officer-{number % 3}"},
            "units": {f"unit-{number % 2}"},
            "persons": {f"PERSON-{number % 10}", f"asked-{number}"},
            "cases": {f"CASE/{number}"},
            "purposes": {"law_enforcement" if police else "border_check"},
            "decisions": {"deny" if refused else "allow"},
            "kinds": {"denial" if refused else "access"},
            "rules": {f"BA-A0{number % 3}"},
            "countries": {"HR", "BA"},
        }[name]
    )


@pytest.fixture(scope="module", params=[postings.PART, 16], ids=["one part", "parts of 16"])
def indexed(request, tmp_path_factory):
    """The index of the small log, in one part or, with the size turned down, in several."""
    path = tmp_path_factory.mktemp("queries") / "review.idx"
    with pytest.MonkeyPatch.context() as patched:
        for module in ("index", "queries"):
            patched.setattr(f"audit.review.{module}.PART", request.param)
        create_index(path, KEY)
        with open_index(path, KEY) as con:
            Indexer(con, KEY, UNSEALER).sync(Held(accesses(SIZE)))
            yield con


filters = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)
        for name, (_, values) in OPTIONS.items()
    },
)
minutes = st.none() | st.integers(-1, SIZE + 1)


@given(filters, minutes, minutes, st.none() | st.integers(0, SIZE), st.integers(1, 20))
def test_a_look_up_finds_what_looking_at_each_entry_finds(
    indexed, chosen, since, until, before, limit
):
    wanted = Filter(
        **chosen,
        since=None if since is None else NOON + timedelta(minutes=since),
        until=None if until is None else NOON + timedelta(minutes=until),
    )
    fitting = [
        number
        for number in reversed(range(SIZE))
        if (since is None or number >= since)
        and (until is None or number < until)
        and all(any(truly(n, v, number) for v in values) for n, values in chosen.items())
    ]
    below = [n for n in fitting if before is None or n < before]
    page = find(indexed, KEY, ORIGIN, wanted, before=before, limit=limit)
    assert list(page.entries) == below[:limit]
    assert page.before == (below[limit - 1] if len(below) > limit else None)
    assert count(indexed, KEY, ORIGIN, wanted) == len(fitting)


def test_pages_follow_one_another_without_gap_or_repetition(indexed):
    wanted, seen, before = Filter(purposes=("border_check",)), [], None
    while True:
        page = find(indexed, KEY, ORIGIN, wanted, before=before, limit=7)
        seen += page.entries
        before = page.before
        if before is None:
            break
    assert seen == [n for n in reversed(range(SIZE)) if n % 5]


def test_the_free_text_of_a_reason_is_not_searchable(indexed):
    for name in ("officers", "units", "persons", "cases"):
        wanted = Filter(**{name: ("free text that nobody may search",)})
        assert find(indexed, KEY, ORIGIN, wanted).entries == ()


def test_a_log_that_is_not_indexed_is_said_to_be_so(indexed):
    with pytest.raises(LogUnavailableError, match="sync"):
        find(indexed, KEY, "audit.example/HR/2026h2", Filter())


def test_a_filter_does_not_show_whom_it_names():
    assert "PERSON" not in repr(Filter(persons=("PERSON-1",)))


offsets = st.sets(st.integers(0, postings.PART - 1), max_size=60) | st.builds(
    lambda first, step: set(range(first, postings.PART, step)),
    st.integers(0, 9),
    st.integers(1, 12),
)


@given(st.lists(offsets, min_size=1, max_size=4))
def test_packed_offsets_intersect_and_unite_like_sets(several):
    packed = [postings.pack(sorted(one)) for one in several]
    assert [set(postings.unpack(data).tolist()) for data in packed] == several
    assert postings.common(packed).tolist() == sorted(set.intersection(*several))
    united = postings.unpack(postings.either([*packed, None]))
    assert united.tolist() == sorted(set.union(*several))
