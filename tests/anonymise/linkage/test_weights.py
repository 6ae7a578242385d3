# SPDX-License-Identifier: EUPL-1.2
"""A file of weights that would let missing evidence count is refused."""

import json
from importlib.resources import files

import pytest

from anonymise.errors import LinkageError
from anonymise.linkage.weights import Weights

_TEXT = files("anonymise.linkage").joinpath("weights.json").read_text(encoding="utf-8")


def written(tmp_path, change):
    document = json.loads(_TEXT)
    change(document)
    path = tmp_path / "own.json"
    path.write_text(json.dumps(document))
    return path


def test_the_packaged_weights_are_a_file_that_can_be_read_and_changed(tmp_path):
    path = written(tmp_path, lambda document: document["grades"].update(strong=3.5))
    assert Weights.read(path).grades.strong == 3.5
    assert Weights.read(path).states == Weights.packaged().states


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["birth"].update(missing=-5.0), 'missing "birth"'),
        (lambda d: d["document"].update(different=-2.0), 'missing "document"'),
        (lambda d: d["sex"].update(missing=0.1), 'missing "sex"'),
        (lambda d: d["names"].update(none=1.0), "lower a score"),
        (lambda d: d["index"]["kinds"].update(doc=-1.0), "lower a score"),
        (lambda d: d["names"].update(near=0.9), "weaker likeness"),
        (lambda d: d["birth"].pop("slip"), "lacks a weight"),
        (lambda d: d["birth"].update(guessed=1.0), "one too many"),
        (lambda d: d["grades"].update(strong=-9.0), "lacks a weight"),
        (lambda d: d["sex"].update(same="1"), "lacks a weight"),
        (lambda d: d["sex"].update(same=float("nan")), "lacks a weight"),
        (lambda d: d.update(note=1), "one too many"),
        (lambda d: d["index"]["kinds"].pop("doc"), "lacks a weight"),
        (lambda d: d.update(grammar=2), "grammar 1"),
        (lambda d: d.update(version=2), "version 1"),
    ],
)
def test_weights_that_break_a_promise_are_refused(tmp_path, change, told):
    with pytest.raises(LinkageError, match=told):
        Weights.read(written(tmp_path, change))


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    path = tmp_path / "own.json"
    with pytest.raises(LinkageError, match="can't be read"):
        Weights.read(path)
    for text in ("", "[]", "1", "{}", "\u20ac"):
        path.write_text(text)
        with pytest.raises(LinkageError, match=r"own\.json lacks"):
            Weights.read(path)
