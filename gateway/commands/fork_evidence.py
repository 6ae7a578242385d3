# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit fork-evidence` and `check-evidence`: prove, and check, that a log showed two pasts.

Neither needs settings or the log's operator. docs/formats/evidence.md describes the file.
"""

import json
from pathlib import Path

import click

from audit import NoteVerifier
from audit.checkpoint import open_checkpoint
from audit.copies import open_copy
from audit.errors import EvidenceError
from audit.evidence import LARGEST, check_evidence, leaf_hashes, make_evidence, parse_evidence
from audit.merkle import leaf_hash
from gateway.commands.options import with_json

_BATCH = 1_000
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("fork-evidence")
@click.argument("one", type=_FILE)
@click.argument("other", type=_FILE)
@click.option("--vkey", required=True, help="The log's verifier key.")
@click.option("--log", help="Of two sizes: a copy of the later log: a folder, file or address.")
@click.option("--proof", type=_FILE, help="Or a file of the later log's leaf hashes.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="The file of evidence; never written over.",
)  # fmt: skip
def fork_evidence(
    one: Path, other: Path, vkey: str, log: str | None, proof: Path | None, output: Path
) -> None:
    """Pack two signed checkpoints ONE and OTHER that contradict one another.

    \b
    Examples:
      cuvar audit fork-evidence mine.txt theirs.txt --vkey … -o fork.evidence
      cuvar audit fork-evidence old.txt new.txt --log published/ --vkey … -o fork.evidence
    Two checkpoints of one size prove a fork by themselves. Of two sizes it takes the later log
    itself, or its leaf hashes: level-0 tiles laid one after the other in a file.
    """
    key = NoteVerifier.parse(vkey)
    notes = _read(one), _read(other)
    size = max(open_checkpoint(note, key, key.name).size for note in notes)
    evidence = make_evidence(*notes, key, _leaves(log, proof, size, key.name))
    try:
        with output.open("xb") as file:
            file.write(evidence.text.encode())
    except OSError:
        raise EvidenceError(f"{output.name} exists or can't be written") from None
    click.echo(f"{check_evidence(evidence.text.encode(), key)}: written to {output}", err=True)


@click.command("check-evidence")
@click.argument("file", type=_FILE)
@click.option("--vkey", help="The key that you know to be the log's; compared with the file's.")
@with_json
def check_evidence_(file: Path, vkey: str | None, *, as_json: bool) -> None:
    """Check a file of fork evidence, offline.

    \b
    Example:
      cuvar audit check-evidence fork.evidence --vkey audit.example/BA/2026h2+…
    Exit code 0 when it proves a fork, 2 when it proves nothing. Without --vkey compare the key that
    is printed with the one that the log's operator hands out.
    """
    data = _read(file)
    fork = check_evidence(data, NoteVerifier.parse(vkey) if vkey else None)
    key = parse_evidence(data).log.vkey
    if as_json:
        told = {
            "origin": fork.origin,
            "vkey": key,
            "checkpoints": [
                {"size": found.size, "root": found.root.hex()}
                for found in (fork.first, fork.second)
            ],
        }
        click.echo(json.dumps(told))
        return
    click.echo(f"FORK: {fork}")
    for found in (fork.first, fork.second):
        click.echo(f"  size {found.size}, root {found.root.hex()}")
    click.echo(f"  both signed by {key}")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise EvidenceError(f"{path.name} has more than {LARGEST} bytes; it is no checkpoint")
    return data


def _leaves(log: str | None, proof: Path | None, size: int, origin: str) -> list[bytes] | None:
    """The leaf hashes of the later log, out of a copy of it or a file; None if neither is given."""
    if proof is not None:
        return leaf_hashes(proof.read_bytes())
    if log is None:
        return None
    leaves: list[bytes] = []
    with open_copy(log, origin) as copy:
        for start in range(0, size, _BATCH):
            for index, envelope in copy.envelopes(start, min(start + _BATCH, size)):
                if index != len(leaves) or not isinstance(envelope, bytes):
                    raise EvidenceError(
                        f"{log} has no whole entry {len(leaves)}; take another copy"
                    )
                leaves.append(leaf_hash(envelope))
    return leaves
