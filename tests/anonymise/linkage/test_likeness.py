# SPDX-License-Identifier: EUPL-1.2
"""How alike tokens are, and whose partner each is."""

from hypothesis import given
from hypothesis import strategies as st

from anonymise.linkage.likeness import Likeness, distance, likeness, paired

_WORDS = st.text(alphabet="abcd", max_size=6)


def test_likeness_goes_from_one_spelling_to_a_slip_of_the_pen():
    assert likeness("karimi", "kareemi") is Likeness.SAME
    assert likeness("mahmud", "muhammad") is Likeness.SOUNDS
    assert likeness("stanikzai", "stanikai") is Likeness.NEAR
    assert likeness("karimi", "wardak") is Likeness.OTHER


def test_a_swap_of_neighbours_is_one_edit():
    assert distance("krasniqi", "karsniqi", 2) == 1
    assert distance("abcd", "badc", 3) == 2
    assert distance("abc", "xyz", 1) == 2


@given(_WORDS, _WORDS)
def test_distance_is_the_same_from_either_side_and_bounded(one, other):
    found = distance(one, other, 6)
    assert found == distance(other, one, 6)
    assert abs(len(one) - len(other)) <= found <= max(len(one), len(other))
    for most in range(6):
        assert distance(one, other, most) == min(found, most + 1)


@given(st.lists(_WORDS, max_size=4), st.lists(_WORDS, max_size=4), st.data())
def test_a_pairing_is_never_worth_more_with_a_token_left_out(asked, held, data):
    def worth(one, other):
        return max(0.0, 6.0 - distance(one, other, 6)) + len(one) / 7

    pairs = paired(asked, held, worth)
    assert len({i for _, i, _ in pairs}) == len({j for _, _, j in pairs}) == len(pairs)
    if asked:
        out = data.draw(st.integers(0, len(asked) - 1))
        fewer = paired(asked[:out] + asked[out + 1 :], held, worth)
        assert sum(pair[0] for pair in fewer) <= sum(pair[0] for pair in pairs) + 1e-9
