# SPDX-License-Identifier: EUPL-1.2
"""`python -m audit`: an officer's tools that need no gateway: make a key, open a detail.

`verify` and `receipt` are handed to `python -m audit.verify`, which says their exit status; the
others end with 0, or with 2 if the command could not be run.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from audit.copies import open_copy
from audit.envelope import parse_envelope
from audit.errors import AuditError, SealError
from audit.keyfiles import create_dpo_key, read_private_key
from audit.sealing import open_sealed
from audit.verify.__main__ import main as verify


def _open(given: argparse.Namespace) -> int:
    key = read_private_key(Path(given.key))
    with open_copy(given.log, given.origin) as copy:
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


def _keygen(given: argparse.Namespace) -> int:
    create_dpo_key(Path(given.private), Path(given.public), given.id)
    sys.stdout.write(f"hand over {given.public}; keep {given.private} to yourself\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    verbs.add_parser("verify", help="as python -m audit.verify PLACE")
    verbs.add_parser("receipt", help="as python -m audit.verify receipt FILE")

    def verb(
        name: str, run: Callable[[argparse.Namespace], int], told: str
    ) -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=told, description=told)
        found.set_defaults(run=run)
        return found

    unseal = verb("open", _open, "print the sealed detail of an entry")
    unseal.add_argument("log", help="file, sqlite:///PATH or postgresql://...")
    unseal.add_argument("index", type=int, help="number of the entry, from 0")
    unseal.add_argument("--origin", help="the log's name, where a database holds several")
    unseal.add_argument("--key", required=True, help="private key file of the officer")
    keys = verb("keygen", _keygen, "make a data protection officer's key pair")
    keys.add_argument("id", help="key id, for example the country")
    keys.add_argument("private", help="file for the private key")
    keys.add_argument("public", help="file for the public key")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors are told in one line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["verify"]:
        return verify(words[1:])
    if words[:1] == ["receipt"]:
        return verify(words)
    given = _parser().parse_args(words)
    try:
        status: int = given.run(given)
    except AuditError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
