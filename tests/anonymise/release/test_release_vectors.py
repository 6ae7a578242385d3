# SPDX-License-Identifier: EUPL-1.2
"""The published vectors of hierarchies and of loss, written by hand from docs/formats."""

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from anonymise.errors import HierarchyError
from anonymise.release.hierarchy import make_hierarchy, read_hierarchy
from anonymise.release.measure import held, loss
from anonymise.release.recode import Recoding, Rows

VECTORS = Path(__file__).parents[2] / "vectors" / "anonymise"
HIERARCHY = json.loads((VECTORS / "hierarchy.json").read_text(encoding="utf-8"))
LOSS = json.loads((VECTORS / "loss.json").read_text(encoding="utf-8"))


def written(folder, lines):
    path = folder / "column.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("vector", HIERARCHY["trees"])
def test_a_tree_has_the_order_the_labels_and_the_costs_of_its_vector(tmp_path, vector):
    hierarchy = read_hierarchy(written(tmp_path, vector["lines"]))
    assert list(hierarchy.leaves) == vector["leaves"]
    code = hierarchy.codes()
    for low, high, label, cost in vector["nodes"]:
        assert hierarchy.label(code[low], code[high]) == label
        assert hierarchy.cost[code[low], code[high]] == pytest.approx(cost)


@pytest.mark.parametrize("vector", HIERARCHY["refused"])
def test_what_is_no_tree_is_refused_at_the_place_of_its_vector(tmp_path, vector):
    with pytest.raises(HierarchyError) as told:
        read_hierarchy(written(tmp_path, vector["lines"]))
    place = re.search(r"column\.csv(?:, line (\d+))?(?:, column (\d+))?", str(told.value))
    assert place is not None
    assert [int(part or 0) for part in place.groups()] == [vector["line"], vector["column"]]


@pytest.mark.parametrize("vector", LOSS["tables"])
def test_a_published_table_has_the_figures_of_its_vector(vector):
    hierarchies = [
        make_hierarchy(name, [line.split(",") for line in lines])
        for name, lines in vector["hierarchies"].items()
    ]
    values = sorted({value for _, value, _, _ in vector["rows"]})
    boxes, cls = [], []
    for _, _, _, labels in vector["rows"]:
        box = labels and [
            hierarchy.labelled()[label]
            for hierarchy, label in zip(hierarchies, labels, strict=True)
        ]
        if box and box not in boxes:
            boxes.append(box)
        cls.append(boxes.index(box) if box else -1)
    codes = [
        [hierarchy.codes()[leaf] for hierarchy, leaf in zip(hierarchies, leaves, strict=True)]
        for leaves, _, _, _ in vector["rows"]
    ]
    counts = np.array([many for _, _, many, _ in vector["rows"]], np.int64)
    sensitive = np.array([values.index(value) for _, value, _, _ in vector["rows"]], np.int32)
    rows = Rows(np.array(codes, np.int32), sensitive, counts)
    every = np.arange(len(counts), dtype=np.int32)
    made = Recoding(every, np.array(cls, np.int32), counts, np.array(boxes, np.int32))
    found = held(rows, made)
    for name, figure in vector["held"].items():
        wanted = Fraction(*figure) if isinstance(figure, list) else figure
        assert getattr(found, name) == pytest.approx(float(wanted)), name
    lost = loss(made, hierarchies, vector["k"])
    for name, figure in vector["loss"].items():
        assert getattr(lost, name) == pytest.approx(float(Fraction(*figure))), name
