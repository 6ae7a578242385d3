# SPDX-License-Identifier: EUPL-1.2
"""What recipients are held to: never less than the house allows."""

import pytest

from anonymise import Anonymity, AnonymityError


def test_the_defaults_are_the_least_that_is_allowed():
    assert Anonymity() == Anonymity(k=10, l=2, nationality_from=100)


@pytest.mark.parametrize("less", [{"k": 9}, {"l": 1}, {"nationality_from": 99}, {"k": -1}])
def test_less_is_refused(less):
    with pytest.raises(AnonymityError, match="from"):
        Anonymity(**less)


@pytest.mark.parametrize("odd", [True, 10.0, "10", None])
def test_what_is_no_whole_number_is_refused(odd):
    with pytest.raises(AnonymityError, match="whole number"):
        Anonymity(k=odd)
