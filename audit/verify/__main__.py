# SPDX-License-Identifier: EUPL-1.2
"""`python -m audit.verify`: check logs and receipts, offline, without the gateway or its operator.

An authority or a court needs Python, `cryptography`, this package, the log's public key and a copy.
Exit status: 0 whole; 1 not whole, or the receipt proves nothing; 2 wrongly called or unreadable;
3 too few witnesses; 4 sealed details gone that no erasure entry accounts for, or that were held;
7 entries lost at the end, as the log's successor declares.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from audit.checkpoint import kept_checkpoint
from audit.copies import origins
from audit.errors import AuditError, NoteError, ProofError, QuorumError
from audit.merkle import HASH_SIZE, leaf_hash
from audit.note import NoteVerifier
from audit.plainfile import read_plain
from audit.receipt import verify_receipt
from audit.verify.checking import Job, verify_logs
from audit.verify.report import Fault
from audit.verify.telling import as_document, as_lines, progress, worst

UNUSABLE = 2
_LARGEST = 1 << 20  # of a checkpoint, policy, receipt or entry


def _read(path: str) -> bytes:
    try:
        return read_plain(Path(path), _LARGEST)
    except FileNotFoundError:
        raise AuditError(f"the file {path} cannot be read; check its name") from None


def _jobs(given: argparse.Namespace) -> list[Job]:
    """Each key with the place that holds its log."""
    if given.origin is not None and len(given.vkey) > 1:
        raise AuditError("--origin goes with one --vkey; several keys name their logs themselves")
    held = {place: origins(place) for place in given.places} if len(given.places) > 1 else {}
    kept = [kept_checkpoint(_read(path)) for path in given.checkpoint]
    policy = _read(given.policy) if given.policy else None
    jobs = []
    for vkey in given.vkey:
        origin = given.origin or NoteVerifier.parse(vkey).name
        places = [p for p, found in held.items() if origin in found] or given.places
        mine = tuple(note for name, note in kept if name == origin)
        jobs.append(Job(places[0], vkey, origin, mine, policy))
    strays = sorted({name for name, _ in kept} - {job.origin for job in jobs})
    if strays:
        raise AuditError(
            f"a checkpoint is of {strays[0]}, which is not checked here; give that log's --vkey and"
            " place too: who kept it saw a log that you were perhaps not handed"
        )
    return jobs


def _check(given: argparse.Namespace) -> int:
    reports = verify_logs(_jobs(given), on_progress=progress)
    if given.json:
        documents = [as_document(report) for report in reports]
        told = documents[0] if len(documents) == 1 else documents
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        for report in reports:
            sys.stdout.write("\n".join(as_lines(report)) + "\n")
    return worst(reports)


def _receipt(given: argparse.Namespace) -> int:
    leaf = leaf_hash(_read(given.envelope)) if given.envelope else bytes.fromhex(given.leaf)
    verifier, data = NoteVerifier.parse(given.vkey), _read(given.file)
    origin = given.origin or verifier.name
    witnesses: tuple[str, ...] | None = None
    status, told = 0, ""
    try:
        index, checkpoint = verify_receipt(data, leaf, verifier, origin)
        told = f"entry {index} stands in {checkpoint.origin} at size {checkpoint.size}"
        if given.policy:
            from audit.receipt import parse_receipt
            from audit.verify.witnesses import witnessed

            note = parse_receipt(data).checkpoint.decode()
            found = witnessed(_read(given.policy), [note], origin, verifier)
            witnesses = found.names
            if found.fault is not None:
                status, told = Fault.WITNESS.value, f"{told}; {found.fault}"
            else:
                told += f", witnessed by {', '.join(found.names)}"
        else:
            told += "; witnesses were not looked at: give --policy for that"
    except QuorumError as error:
        status, told = Fault.WITNESS.value, str(error)
    except (ProofError, NoteError) as error:
        status, told = Fault.LOG.value, f"the receipt proves nothing: {error}"
    if given.json:
        document = {"ok": not status, "status": status, "what": told}
        if witnesses is not None:
            document["witnesses"] = list(witnesses)
        told = json.dumps(document)
    sys.stdout.write(told + "\n")
    return status


def _hex_hash(text: str) -> str:
    if len(bytes.fromhex(text)) != HASH_SIZE:
        raise ValueError
    return text


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    log = argparse.ArgumentParser(
        prog="python -m audit.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="To check a receipt: python -m audit.verify receipt FILE --help",
    )
    log.add_argument("places", nargs="+", metavar="PLACE", help="folder, file or postgresql://...")
    log.add_argument("--vkey", required=True, action="append", help="verifier key; one per log")
    log.add_argument(
        "--checkpoint", action="append", default=[], help="file with a checkpoint kept from earlier"
    )
    receipt = argparse.ArgumentParser(prog="python -m audit.verify receipt")
    receipt.add_argument("file", help="the receipt (.tlog-proof)")
    receipt.add_argument("--vkey", required=True, help="the log's verifier key")
    entry = receipt.add_mutually_exclusive_group(required=True)
    entry.add_argument("--envelope", help="file with the entry's exact bytes")
    entry.add_argument("--leaf", type=_hex_hash, help="the entry's leaf hash in hex")
    for parser in (log, receipt):
        parser.add_argument("--origin", help="the log's name, if it is not the key's")
        parser.add_argument("--policy", help="file with a trust policy (tlog-policy)")
        parser.add_argument("--json", action="store_true", help="machine-readable")
    return log, receipt


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the arguments name; errors are told in one line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    log, receipt = _parsers()
    try:
        if given[:1] == ["receipt"]:
            return _receipt(receipt.parse_args(given[1:]))
        return _check(log.parse_args(given))
    except AuditError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
