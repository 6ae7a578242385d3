# SPDX-License-Identifier: EUPL-1.2
from anonymise.linkage.keys import Key, KeyKind
from anonymise.linkage.person import LinkagePerson
from anonymise.linkage.trial import BUCKET_CAP, Matcher, candidates


def named(*names):
    return LinkagePerson(given_names=names)


def keys(person):
    return [Key(KeyKind.TOKEN_BIRTH, name) for name in person.given_names]


MATCHER = Matcher(
    keys=keys,
    index=lambda kinds: float(len(kinds)),
    index_grade=lambda kinds: "possible" if kinds else "none",
    compare=lambda asked, held: (float(asked == held), "strong" if asked == held else "none"),
)


def silent(*_):
    pass


def found(first, second, matcher=MATCHER):
    return list(candidates(first, second, matcher, silent))


def test_records_with_a_key_in_common_are_compared_and_no_others():
    one, two = found(
        {"a": named("x", "y")}, {"p": named("y"), "q": named("x", "y"), "r": named("z")}
    )
    assert (one.second, one.score, one.grade) == ("p", 0.0, "none")
    assert (two.second, two.score, two.grade) == ("q", 1.0, "strong")
    assert two.kinds == (KeyKind.TOKEN_BIRTH,)


def test_a_key_over_the_cap_answers_nothing():
    most = {f"p{n}": named("x") for n in range(BUCKET_CAP)}
    assert len(found({"a": named("x")}, most)) == BUCKET_CAP
    assert found({"a": named("x")}, most | {"more": named("x")}) == []


def test_a_block_of_the_owners_side_finds_but_tells_the_index_nothing():
    matcher = Matcher(
        keys=lambda _: [],
        index=MATCHER.index,
        index_grade=MATCHER.index_grade,
        compare=MATCHER.compare,
        blocks=lambda person: person.given_names,
    )
    (one,) = found({"a": named("x")}, {"p": named("x")}, matcher)
    assert (one.kinds, one.index, one.index_grade, one.score) == ((), 0.0, "none", 1.0)


def test_progress_is_told_to_the_end():
    told = []
    list(candidates({"a": named("x")}, {"p": named("x")}, MATCHER, lambda *one: told.append(one)))
    assert told[-1] == ("persons of the first list", 1, 1)
