# SPDX-License-Identifier: EUPL-1.2
"""The published vectors of the grammar, which another language can run: tests/vectors/linkage."""

import json
from pathlib import Path

import pytest

from anonymise.linkage.compare import compare
from anonymise.linkage.keys import keys_of
from anonymise.linkage.names import GRAMMAR, skeleton, sound, tokens
from anonymise.linkage.person import person_of

_VECTORS = Path(__file__).parents[2] / "vectors" / "linkage"


def cases(name):
    document = json.loads((_VECTORS / name).read_text(encoding="utf-8"))
    assert document["grammar"] == GRAMMAR
    return document["cases"]


@pytest.mark.parametrize("case", cases("names.json"), ids=lambda case: ascii(case["text"]))
def test_a_text_has_the_published_tokens_skeletons_and_sounds(case):
    found = tokens(case["text"])
    assert list(found) == case["tokens"]
    assert list(map(skeleton, found)) == case["skeletons"]
    assert list(map(sound, found)) == case["sounds"]


def test_a_person_has_the_published_keys():
    for case in cases("keys.json"):
        found = [
            [str(k.kind), k.text, k.encoded().decode()]
            for k in keys_of(person_of(**case["person"]))
        ]
        assert found == case["keys"]


def test_two_persons_have_the_published_features():
    for case in cases("pairs.json"):
        found = compare(person_of(**case["asked"]), person_of(**case["held"]))
        features = {each.name: [each.state, round(each.log_odds, 6)] for each in found.features}
        assert features == case["features"]
        assert round(found.log_odds, 6) == case["log_odds"]
        assert found.grade == case["grade"]
