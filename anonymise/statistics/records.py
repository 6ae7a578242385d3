# SPDX-License-Identifier: EUPL-1.2
"""Ledger records as bytes, for the sealed detail of a log entry, and back.

docs/formats/statistics.md, section 5. One way to write each record; whatever else is read is
refused, since a record that is read in two ways could be judged in two ways.
"""

import base64
import binascii
import json
from datetime import UTC, datetime

from anonymise.errors import LedgerError
from anonymise.statistics.cohort import Cohort
from anonymise.statistics.layouts import LAYOUTS, Key
from anonymise.statistics.ledger import Answer, PrivateAnswer, Record

VERSION = 1
JOINT = 2  # a table that was made together with others
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def encode_record(recipient: str, record: Record) -> bytes:
    """One record of what a recipient is answered; `recipient` is an organisation's id."""
    head = {
        "v": JOINT if isinstance(record, Answer) and record.snapshot else VERSION,
        "recipient": recipient,
        "layout": record.layout,
        "at": f"{record.at.astimezone(UTC):{_TIME}}",
    }
    body: dict[str, object]
    if isinstance(record, PrivateAnswer):
        body = {
            "epsilon": record.epsilon,
            "budget": record.budget,
            "figures": [[list(key), figure] for key, figure in record.figures],
        }
    else:
        body = {
            "minimum": record.minimum,
            "whole": _text(record.whole),
            "figures": [[list(key), _text(cohort)] for key, cohort in record.figures],
            "left": [[list(key), _text(cohort)] for key, cohort in record.left],
        }
        if record.snapshot:
            body |= {"snapshot": record.snapshot, "pattern": record.pattern}
    return json.dumps({**head, **body}, ensure_ascii=False, separators=(",", ":")).encode()


def decode_record(data: bytes) -> tuple[str, Record]:
    """Recipient and record.

    Raises:
        LedgerError: `encode_record` would not have written this.
    """
    try:
        read = json.loads(data)
        recipient, record = read["recipient"], _record(read)
        if encode_record(recipient, record) == data and record.layout in LAYOUTS:
            return recipient, record
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error, OverflowError):
        pass
    raise LedgerError("a record of the overlap ledger is damaged; see `cuvar doctor`")


def _record(read: dict[str, object]) -> Record:
    layout, at = str(read["layout"]), str(read["at"])
    when = datetime.strptime(at, _TIME).replace(tzinfo=UTC)
    figures = read["figures"]
    if not isinstance(figures, list):
        raise LedgerError("a record of the overlap ledger has no list of figures")
    if "epsilon" in read:
        told = tuple((_key(key), _whole(figure)) for key, figure in figures)
        return PrivateAnswer(layout, when, _whole(read["epsilon"]), _whole(read["budget"]), told)
    left = read["left"]
    if not isinstance(left, list):
        raise LedgerError("a record of the overlap ledger has no list of what was left out")
    return Answer(
        layout,
        when,
        _whole(read["minimum"]),
        _cohort(read["whole"]),
        tuple((_key(key), _cohort(cohort)) for key, cohort in figures),
        tuple((_key(key), _cohort(cohort)) for key, cohort in left),
        str(read.get("snapshot", "")),
        str(read.get("pattern", "")),
    )


def _key(value: list[object]) -> Key:
    return tuple(str(part) for part in value)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise LedgerError("a record of the overlap ledger holds a number that is none")
    return value


def _text(cohort: Cohort) -> str:
    return base64.b64encode(cohort.encode()).decode("ascii")


def _cohort(value: object) -> Cohort:
    return Cohort.decode(base64.b64decode(str(value), validate=True))
