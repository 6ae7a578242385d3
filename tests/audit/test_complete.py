# SPDX-License-Identifier: EUPL-1.2
"""A list that leaves something out, adds or changes something is told apart from a whole one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, Kind, LogCorruptError, Owner, Requester, encode_envelope
from audit.complete import Reader, complete
from audit.marks import Marks
from audit.sealing import Unsealer
from audit.store import Head
from tests.audit.making import DPO_BA, DPO_HR, ORIGIN, envelope, new_sealer, plain, sealed

BA, HR, RS = Owner("BA", "persons"), Requester("HR", "HR-BP", "x"), Owner("RS", "persons")
OF_BA = Requester("BA", "BA-BP", "x")
NOBODY = {"owner": None, "requester": None, "kind": Kind.POLICY_CHANGE}


class Listed:
    """A copy in memory."""

    def __init__(self, pending, origin=ORIGIN):
        self.entries = [one.envelope for one in pending]
        self._origin = origin

    def head(self):
        return Head(self._origin, len(self.entries), b"", "", 0)

    def envelopes(self, start, stop):
        return list(enumerate(self.entries))[start:stop]


SEALER = new_sealer()
ENTRIES = [
    sealed(SEALER, owner=BA, requester=HR),
    sealed(SEALER, owner=RS, requester=HR),
    plain(**NOBODY),
    sealed(SEALER, owner=RS, requester=OF_BA),
    sealed(SEALER, owner=BA, requester=OF_BA),
    sealed(SEALER, owner=BA, requester=HR),
]
HERS = (0, 2, 3, 4, 5)


def row(index, one=None, *, detail=True):
    one = ENTRIES[index] if one is None else one
    told = {"index": index, "log_envelope.envelope": json.loads(one.envelope)}
    if detail and one.sealed is not None:
        parts = {"blob": one.sealed.blob, "salt": one.sealed.salt, "window": one.sealed.window}
        told["log_detail.detail"] = {n: base64.b64encode(p).decode() for n, p in parts.items()}
    return json.dumps(told)


REST = [row(n) for n in HERS[1:]]


def check(lines, size=6, key=DPO_BA, erased=(), entries=ENTRIES):
    unsealer = None if key is None else Unsealer(key)
    return complete(Listed(entries), size, lines, Reader("BA", unsealer), Marks(erased))


def gaps(found):
    return [(gap.index, gap.what) for gap in found.gaps]


def test_a_whole_list_in_any_order_is_complete():
    found = check([row(5), "", row(0), row(4), row(3), row(2)])
    assert found.ok
    assert (found.expected, found.opened, found.erased) == (5, 4, 0)


@given(st.sets(st.sampled_from(HERS)))
def test_each_entry_left_out_is_named(left_out):
    found = check([row(n) for n in HERS if n not in left_out])
    assert gaps(found) == [(n, "missing") for n in sorted(left_out)]
    assert found.ok is not bool(left_out)


def test_an_entry_of_others_or_of_no_log_or_shown_otherwise_is_named():
    told = [row(n) for n in HERS]
    assert gaps(check([*told, row(1)])) == [(1, "foreign")]
    other = plain(owner=BA, requester=OF_BA)
    assert gaps(check([row(0), row(2), row(3), row(4, other), row(5)])) == [(4, "changed")]
    assert gaps(check([*told, row(4, other)])) == [(4, "changed")], "shown twice, not alike"
    assert gaps(check([row(4, other), *told])) == [(4, "changed")], "in either order"
    assert check([*told, row(4)]).ok, "shown twice, alike"
    assert "not shown" in check(told[1:]).gaps[0].said


def test_a_detail_that_is_missing_or_another_or_closed_is_named():
    assert gaps(check([row(0, detail=False), *REST])) == [(0, "no detail")]
    swapped = json.loads(row(0))
    swapped["log_detail.detail"] = json.loads(row(5))["log_detail.detail"]
    told = [json.dumps(swapped), *REST]
    assert gaps(check(told)) == [(0, "other detail")]
    for damaged in ({"blob": "?"}, "x", {"blob": 1, "salt": 2, "window": 3}):
        swapped["log_detail.detail"] = damaged
        assert gaps(check([json.dumps(swapped), *told[1:]])) == [(0, "other detail")]
    only_hr = [sealed(SEALER, to=("HR",), owner=BA, requester=HR), *ENTRIES[1:]]
    told = [row(0, only_hr[0]), *told[1:]]
    assert gaps(check(told, entries=only_hr)) == [(0, "sealed")]
    assert check(told, entries=only_hr, key=DPO_HR).ok
    assert check(told, entries=only_hr, key=None).ok


def test_a_detail_may_be_missing_once_its_erasure_was_declared():
    found = check([row(0, detail=False), *REST], erased=[0])
    assert found.ok
    assert found.erased == 1


@pytest.mark.parametrize("kind", [Kind.ERASURE, Kind.LEGAL_HOLD, Kind.HOLD_LIFTED])
@pytest.mark.parametrize("owner", [None, RS])
def test_what_touches_details_in_her_log_must_be_shown_whomever_it_names(kind, owner):
    hidden = plain(kind=kind, owner=owner, requester=None, about=("0",))
    entries = [*ENTRIES, hidden]
    told = [row(0), *REST]
    assert gaps(check(told, size=7, entries=entries)) == [(6, "missing")]
    assert check([*told, row(6, hidden)], size=7, entries=entries).ok


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.DENIAL, Kind.BREAK_GLASS])
def test_a_question_without_a_detail_is_named(kind):
    bare = plain(kind=kind, owner=BA, requester=HR)
    told = [row(0), *REST, row(6, bare)]
    assert gaps(check(told, size=7, entries=[*ENTRIES, bare])) == [(6, "unsealed")]
    failed = plain(
        kind=kind, owner=None, requester=OF_BA
    )  # came to nothing: nobody was asked about
    assert check([*told[:-1], row(6, failed)], size=7, entries=[*ENTRIES, failed]).ok


def test_beyond_the_checkpoint_and_of_other_logs_nothing_is_said():
    elsewhere = plain(owner=BA, requester=HR, log="audit.example/BA/2027h1")
    found = check([row(0), row(2), row(3), row(5), row(7, elsewhere)], size=4)
    assert found.ok
    assert (found.size, found.later, found.elsewhere) == (4, 1, 1)


@pytest.mark.parametrize(
    "line", ["x", "1", '{"index":1}', '{"index":-1,"envelope":{}}', "[" * 9999]
)
def test_a_line_that_is_no_row_is_refused(line):
    with pytest.raises(AuditError, match="line 2 of the list"):
        check([row(0), line])


def test_a_copy_with_a_hole_is_refused():
    with pytest.raises(LogCorruptError, match="entry 6 is missing"):
        check([], size=7)


def test_many_gaps_are_counted():
    many = [plain(owner=BA, requester=HR) for _ in range(1002)]
    found = check([], size=1002, entries=many)
    assert (len(found.gaps), found.more) == (1000, 2)


def test_members_are_read_off_an_envelope_like_the_parser_reads_them():
    one = encode_envelope(envelope(v=2, owner=None))
    assert check([], size=1, entries=[type("P", (), {"envelope": one})()]).expected == 0
