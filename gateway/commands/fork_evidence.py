# SPDX-License-Identifier: EUPL-1.2
"""`cuvar audit fork-evidence` and `check-evidence`: prove, and check, that a log showed two pasts.

Neither needs settings or the log's operator. docs/formats/evidence.md describes the file.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from audit import NoteVerifier
from audit.errors import EvidenceError
from audit.evidence import LARGEST, check_evidence, leaf_hashes, make_evidence, parse_evidence
from audit.tiles import TILE_WIDTH
from gateway.commands.options import with_json

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("fork-evidence")
@click.argument("one", type=_FILE)
@click.argument("other", type=_FILE)
@click.option("--vkey", required=True, help="The log's verifier key.")
@click.option(
    "--proof",
    type=click.Path(path_type=Path, exists=True),
    help="Of two sizes: the later log as a published folder, or a file of its leaf hashes.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="The file of evidence; never written over.",
)  # fmt: skip
def fork_evidence(one: Path, other: Path, vkey: str, proof: Path | None, output: Path) -> None:
    """Pack two signed checkpoints ONE and OTHER that contradict one another.

    \b
    Examples:
      cuvar audit fork-evidence mine.txt theirs.txt --vkey … -o fork.evidence
      cuvar audit fork-evidence old.txt new.txt --proof published/ --vkey … -o fork.evidence
    Two checkpoints of one size prove a fork by themselves. Of two sizes it takes the leaf hashes of
    the later log: its published folder, or its level-0 tiles laid one after the other in a file.
    """
    log = NoteVerifier.parse(vkey)
    leaves = None if proof is None else leaf_hashes(b"".join(_tiles(proof)))
    evidence = make_evidence(_read(one), _read(other), log, leaves)
    try:
        with output.open("xb") as file:
            file.write(evidence.text.encode())
    except OSError:
        raise EvidenceError(f"{output.name} exists or can't be written") from None
    click.echo(f"{check_evidence(evidence.text.encode(), log)}: written to {output}", err=True)


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


def _tiles(proof: Path) -> Iterator[bytes]:
    """The leaf hashes: a file as it is, or the tiles of level 0 of a published folder in order."""
    if proof.is_file():
        yield proof.read_bytes()
        return
    number = 0
    while True:
        path = proof / "tile" / "0" / tile_path(number)
        if not path.is_file():
            break
        yield path.read_bytes()
        number += 1
    partial = path.with_name(f"{path.name}.p")
    for width in range(TILE_WIDTH - 1, 0, -1):
        if (partial / str(width)).is_file():
            yield (partial / str(width)).read_bytes()
            return


def tile_path(number: int) -> str:
    """A tile's number as C2SP tlog-tiles writes it: groups of three digits, all but the last x."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:  # noqa: PLR2004 - groups of three digits
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)
