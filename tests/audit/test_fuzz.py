# SPDX-License-Identifier: EUPL-1.2
"""Whatever bytes come in: every parser of audit/ reads them or refuses them in its own words.

Twenty seconds for all of them; a minute and more is `CUVAR_FUZZ_AUDIT_SECONDS=60 make test
T=tests/audit/test_fuzz.py`, and `CUVAR_SEED` brings the same dice back.
"""

import contextlib
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import parse_envelope
from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.errors import AuditError
from audit.layout import (
    StoredDetail,
    parse_path,
    read_bundle,
    read_details,
    write_bundle,
    write_details,
)
from audit.note import NoteVerifier, split_note
from audit.policyfile import parse_policy
from audit.receipt import parse_receipt
from audit.sealing import Sealed
from audit.shards import parse_origin
from audit.verify.shapes import Shapes
from audit.witness import parse_submission
from tests.audit.fuzzing import fuzz, mutated
from tests.audit.making import ORIGIN, SIGNER, VECTORS, new_sealer, plain
from tests.audit.witnessing import cosigner
from tests.policies.seeds import seed

SECONDS = float(os.environ.get("CUVAR_FUZZ_AUDIT_SECONDS", "20"))
OLD = VECTORS / "format1"
NOTE = (OLD / "checkpoint").read_bytes()
RECEIPT = (OLD / "204.tlog-proof").read_bytes()
ENVELOPES = [(OLD / f"{n}.entry").read_bytes() for n in (0, 100, 204)] + [plain().envelope]
SEALED = new_sealer().seal(b"x", ("BA", "HR"))


def note(data):
    text, _ = split_note(data)
    parse_checkpoint(text)


def signed(data):
    open_checkpoint(data, SIGNER.verifier, ORIGIN)


def receipt(data):
    """What is read is written the same way, but for the `extra` line that nobody vouches for."""
    found = parse_receipt(data)
    if b"\nextra " not in data:
        assert found.text.encode() == data


def envelope(data):
    parse_envelope(data)


def row_of_envelopes(data):
    rows = data.split(b"|")
    batch = SHAPES.read(rows)
    for place, one in enumerate(rows):
        try:
            parse_envelope(one)
        except AuditError:
            assert place in batch.refused
        else:
            assert place not in batch.refused


def bundle(data):
    assert write_bundle(read_bundle(data)) == data


def details(data):
    assert write_details(read_details(data)) == data


def window(data):
    assert len(Sealed(b"", b"", b"", data).keys) <= 16


def path(data):
    text = data.decode("utf-8", "replace")
    assert parse_path(text).path == text


def vkey(data):
    text = data.decode("utf-8", "replace")
    assert NoteVerifier.parse(text).vkey == text


def origin(data):
    text = data.decode("utf-8", "replace")
    assert parse_origin(text).origin == text


def policy(data):
    parse_policy(data)


def add_checkpoint(data):
    parse_submission(data)


SHAPES = Shapes(ORIGIN)
PARSERS = {
    note: [NOTE, Checkpoint("x", 0, bytes(32)).text.encode()],
    signed: [NOTE, (OLD / "checkpoint-200").read_bytes()],
    receipt: [RECEIPT, b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n" + NOTE],
    envelope: ENVELOPES,
    row_of_envelopes: [b"|".join(ENVELOPES), ENVELOPES[3], ENVELOPES[1] + b"|" + ENVELOPES[1]],
    bundle: [write_bundle(ENVELOPES[:2]), write_bundle([b""])],
    details: [write_details({7: StoredDetail(SEALED.blob, SEALED.salt, SEALED.window)})],
    window: [SEALED.window],
    path: [b"tile/0/x001/234.p/17", b"tile/entries/000", b"details/x999/000"],
    vkey: [SIGNER.vkey.encode()],
    origin: [ORIGIN.encode(), b"a/BA/2026h2.17"],
    policy: [b"witness w1 %s\ngroup g 1 w1\nquorum g\n" % cosigner(1).verifiers[0].vkey.encode()],
    add_checkpoint: [b"old 0\n\n" + NOTE, b"old 5\n" + b"A" * 43 + b"=\n\n" + NOTE],
}


def guarded(parser):
    """The parser, with its own errors as an answer like any other."""

    def parse(data):
        with contextlib.suppress(AuditError):
            parser(data)

    parse.__name__ = parser.__name__
    return parse


@pytest.mark.long
@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)
def test_no_bytes_crash_a_parser(parser):
    dice = random.Random(f"{seed()} {parser.__name__}")  # noqa: S311 - dice, no secret
    count, kept = fuzz(guarded(parser), PARSERS[parser], SECONDS / len(PARSERS), dice)
    assert count
    assert kept >= 0


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)
@given(data=st.binary(max_size=300), number=st.integers(0, 2**40))
def test_hypothesis_finds_no_crash_either(parser, data, number):
    dice = random.Random(number)  # noqa: S311 - dice, no secret
    good = PARSERS[parser]
    guarded(parser)(data)
    guarded(parser)(mutated(dice.choice(good), good, dice))


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)
def test_the_first_seed_of_each_parser_is_read(parser):
    parser(PARSERS[parser][0])


def test_the_fuzzer_finds_a_crash_behind_three_steps():
    """A parser with a defect that dice alone would hardly meet."""
    from audit.note import strict_base64

    def defect(data):
        with contextlib.suppress(AuditError):
            value = strict_base64(data)
            if len(value) == 0:
                raise IndexError

    with pytest.raises(AssertionError, match="IndexError"):
        fuzz(defect, [b"AAAA"], 20, random.Random(1))  # noqa: S311 - dice, no secret
