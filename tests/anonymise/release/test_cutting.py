# SPDX-License-Identifier: EUPL-1.2
"""Cutting on several threads makes the classes that one thread makes."""

import os

import numpy as np

from anonymise.release import cutting
from anonymise.release.encode import make_limits, make_units, pack_costs, pack_cuts
from anonymise.release.recode import Demand
from tests.anonymise.release import tables


def test_threads_cut_as_one_does(monkeypatch):
    rows, hierarchies = tables.adult(3000)
    demand = Demand(3, l=2)
    units, _ = make_units(rows, hierarchies, demand)
    work = (units, pack_costs(hierarchies), pack_cuts(hierarchies), make_limits(rows, demand))
    alone = cutting.cut(*work)
    monkeypatch.setattr(cutting, "_SMALL", 20)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(4))
    assert np.array_equal(cutting.cut(*work), alone)
    assert alone.max() > 100
