# SPDX-License-Identifier: EUPL-1.2
"""`python -m audit`: the log's tools for whoever must not depend on the gateway.

A data protection officer or a court needs Python, this package, the log's public key and a copy.
Exit status: 0 all is well, 1 something is wrong with the log, 2 the command could not be run.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from audit.copies import open_copy
from audit.envelope import parse_envelope
from audit.errors import AuditError, SealError
from audit.keyfiles import create_dpo_key, read_private_key
from audit.merkle import leaf_hash
from audit.note import NoteVerifier
from audit.receipt import verify_receipt
from audit.sealing import open_sealed
from audit.verify import Report, verify_log

_SHOW_EVERY = 65_536


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        raise AuditError(f"the file {path} cannot be read") from None


def _progress(done: int, size: int) -> None:
    if sys.stderr.isatty() and (done == size or done % _SHOW_EVERY == 0):
        sys.stderr.write(f"\r{done:,} of {size:,} entries" + "\n" * (done == size))


def _verify(given: argparse.Namespace) -> int:
    report = verify_log(
        given.log,
        vkey=given.vkey,
        origin=given.origin,
        checkpoint=_read(given.checkpoint).decode("utf-8", "replace") if given.checkpoint else None,
        on_progress=_progress,
    )
    sys.stdout.write((_as_json if given.json else _as_text)(report))
    return 0 if report.ok else 1


def _as_json(report: Report) -> str:
    findings = [{"index": f.index, "what": f.what} for f in report.findings]
    told = {
        "ok": report.ok,
        "size": report.size,
        "root": report.root.hex(),
        "erased": report.erased,
        "findings": findings,
        "more": report.more,
    }
    return json.dumps(told) + "\n"


def _as_text(report: Report) -> str:
    lines = [
        f"entry {found.index}: {found.what}" if found.index is not None else f"log: {found.what}"
        for found in report.findings
    ]
    if report.more:
        lines.append(f"and {report.more} more")
    lines.append(
        f"{'whole' if report.ok else 'NOT WHOLE'}: {report.size} entries,"
        f" {report.erased} erased details, root {report.root.hex()}"
    )
    return "\n".join(lines) + "\n"


def _open(given: argparse.Namespace) -> int:
    key = read_private_key(Path(given.key))
    with open_copy(given.log) as copy:
        rows = copy.rows(given.index, given.index + 1)
    entry = rows[0].entry() if rows else None
    if entry is None:
        raise AuditError(f"the log has no readable entry {given.index}")
    if entry.sealed is None:
        raise SealError("the entry has no detail, or it was erased")
    if parse_envelope(entry.envelope).detail != entry.sealed.commitment.hex():
        raise SealError("the detail is not the one that the envelope commits to: verify the log")
    sys.stdout.buffer.write(open_sealed(entry.sealed, key))
    return 0


def _receipt(given: argparse.Namespace) -> int:
    leaf = leaf_hash(_read(given.envelope)) if given.envelope else bytes.fromhex(given.leaf)
    verifier = NoteVerifier.parse(given.vkey)
    index, checkpoint = verify_receipt(_read(given.file), leaf, verifier, given.origin)
    sys.stdout.write(f"entry {index} stands in {checkpoint.origin} at size {checkpoint.size}\n")
    return 0


def _keygen(given: argparse.Namespace) -> int:
    create_dpo_key(Path(given.private), Path(given.public), given.id)
    sys.stdout.write(f"hand over {given.public}; keep {given.private} to yourself\n")
    return 0


def _hex_hash(text: str) -> str:
    if len(bytes.fromhex(text)) != len(leaf_hash(b"")):
        raise ValueError
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    def verb(
        name: str, run: Callable[[argparse.Namespace], int], told: str
    ) -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=told, description=told)
        found.set_defaults(run=run)
        return found

    check = verb("verify", _verify, "recompute a log and name what does not fit")
    check.add_argument("log", help="file, sqlite:///PATH or postgresql://...")
    check.add_argument("--checkpoint", help="file with a checkpoint kept from earlier")
    check.add_argument("--json", action="store_true", help="machine-readable report")
    proof = verb("receipt", _receipt, "check a .tlog-proof against an entry")
    proof.add_argument("file", help="the receipt")
    entry = proof.add_mutually_exclusive_group(required=True)
    entry.add_argument("--envelope", help="file with the entry's exact bytes")
    entry.add_argument("--leaf", type=_hex_hash, help="the entry's leaf hash in hex")
    for needs_key in (check, proof):
        needs_key.add_argument("--vkey", required=True, help="the log's verifier key")
        needs_key.add_argument("--origin", required=True, help="the log's name")
    unseal = verb("open", _open, "print the sealed detail of an entry")
    unseal.add_argument("log", help="file, sqlite:///PATH or postgresql://...")
    unseal.add_argument("index", type=int, help="number of the entry, from 0")
    unseal.add_argument("--key", required=True, help="private key file of the officer")
    keys = verb("keygen", _keygen, "make a data protection officer's key pair")
    keys.add_argument("id", help="key id, for example the country")
    keys.add_argument("private", help="file for the private key")
    keys.add_argument("public", help="file for the public key")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are told in one line."""
    given = _parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except AuditError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
