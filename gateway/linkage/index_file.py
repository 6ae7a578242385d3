# SPDX-License-Identifier: EUPL-1.2
"""The file in which a nation sends its half of the index: docs/formats/linkage-index-file.md.

A line that names the format, a line of JSON, then blocks of persons: surrogates, how many keys
each has, the kinds and the blind values. No name, no date. Read whole against its digest before
anything of it is used, and written beside its name until it is complete.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import IO, Final, Self

from anonymise.domain import COUNTRY, EPOCH
from anonymise.linkage.blinding import BLIND_BYTES
from anonymise.linkage.keys import KeyKind
from gateway.linkage.errors import IndexFileError

MAGIC: Final = b"cuvar-linkage-index 1\n"
HEADER_BYTES: Final = 1024
SURROGATE_BYTES: Final = 16
MOST_KEYS: Final = 16
BLOCK_PERSONS: Final = 16_384
BLINDINGS: Final = frozenset({"hmac", "oprf"})
_BLOCK: Final = Struct(">II")
_MADE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself.

    Attributes:
        country: Whose register.
        epoch: The quarter.
        grammar: Of the keys (`names.GRAMMAR`).
        blinding: hmac or oprf.
        made: UTC.
        kinds: The key kinds, in the order of their numbers in the file.
        persons: How many.
        keys: How many in all.
        sha256: Of the header without it, and of all blocks.
    """

    country: str
    epoch: str
    grammar: int
    blinding: str
    made: str
    kinds: tuple[str, ...] = tuple(str(kind) for kind in KeyKind)
    persons: int = 0
    keys: int = 0
    sha256: str = ""

    def line(self) -> bytes:
        """As it stands in the file: padded to a fixed length."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()
        return text.ljust(HEADER_BYTES - 1) + b"\n"

    def digest(self, blocks: bytes) -> str:
        """The file's digest, from that of its blocks."""
        return hashlib.sha256(replace(self, sha256="").line() + blocks).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """Some persons, in the order of their surrogates; packed side by side.

    Attributes:
        surrogates: 16 bytes a person.
        counts: One byte a person: its keys, 1 to 16.
        kinds: One byte a key: its number in the header's `kinds`.
        values: 32 bytes a key.
    """

    surrogates: bytes
    counts: bytes
    kinds: bytes
    values: bytes

    @classmethod
    def of(cls, persons: Sequence[tuple[bytes, bytes, bytes]]) -> "Block":
        """From surrogate, kinds and values of each; their order in the register is lost."""
        persons = sorted(persons)
        return cls(
            b"".join(surrogate for surrogate, _, _ in persons),
            bytes(len(kinds) for _, kinds, _ in persons),
            b"".join(kinds for _, kinds, _ in persons),
            b"".join(values for _, _, values in persons),
        )

    def packed(self) -> bytes:
        """As it stands in the file."""
        head = _BLOCK.pack(len(self.counts), len(self.kinds))
        return b"".join((head, self.surrogates, self.counts, self.kinds, self.values))


class IndexWriter:
    """Writes a file; it takes its name when `finish` is called, and never otherwise."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin.

        Raises:
            IndexFileError: something stands there, or the folder can't be written.
        """
        self._path, self._header, self._sum = path, header, hashlib.sha256()
        self._persons = self._keys = 0
        self._beside = path.with_name(f".{path.name}.{os.getpid()}.new")
        if path.exists():
            raise IndexFileError(f"{path.name} is there already; move it away or name another")
        try:
            descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise IndexFileError(f"{path.name} can't be written: {error.strerror}") from None
        self._file = os.fdopen(descriptor, "wb")
        self._put(MAGIC + header.line())

    def add(self, block: Block) -> None:
        """Write a block.

        Raises:
            IndexFileError: the disk takes no more.
        """
        packed = block.packed()
        self._sum.update(packed)
        self._persons += len(block.counts)
        self._keys += len(block.kinds)
        self._put(packed)

    def finish(self) -> Header:
        """Put the file in place, flushed to disk.

        Raises:
            IndexFileError: it can't be written; nothing stands at the name.
        """
        counted = replace(self._header, persons=self._persons, keys=self._keys)
        done = replace(counted, sha256=counted.digest(self._sum.digest()))
        try:
            self._file.seek(len(MAGIC))
            self._put(done.line())
            self._file.flush()
            os.fsync(self._file.fileno())
            # A link, unlike a rename, fails when the name is taken.
            os.link(self._beside, self._path)
        except OSError as error:
            raise IndexFileError(f"{self._path.name} can't be written: {error.strerror}") from None
        return done

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise IndexFileError(f"{self._path.name} can't be written: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._file.close()
        with suppress(FileNotFoundError):
            self._beside.unlink()


class IndexReader:
    """Reads a file that was found whole."""

    def __init__(self, path: Path) -> None:
        """Read header and digest.

        Raises:
            IndexFileError: it is missing, of another format, cut off or changed.
        """
        self._name = path.name
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise IndexFileError(f"{path.name} can't be read: {error.strerror}") from None
        try:
            self.header = self._header()
            self._require_whole()
        except BaseException:
            self._file.close()
            raise

    def blocks(self) -> Iterator[Block]:
        """Every block, from the first."""
        self._file.seek(len(MAGIC) + HEADER_BYTES)
        while head := self._file.read(_BLOCK.size):
            yield self._block(self._file, head)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def _header(self) -> Header:
        if self._file.read(len(MAGIC)) != MAGIC:
            raise IndexFileError(f"{self._name} is no index file of version 1; build it again")
        line = self._file.read(HEADER_BYTES)
        try:
            members = json.loads(line)
            header = Header(**(members | {"kinds": tuple(members["kinds"])}))
            whole = header.line() == line and _sound(header)
        except (ValueError, TypeError, KeyError, RecursionError):
            whole = False
        if not whole:
            raise self._damaged()
        return header

    def _require_whole(self) -> None:
        summed, persons, keys = hashlib.sha256(), 0, 0
        for block in self.blocks():
            summed.update(block.packed())
            persons += len(block.counts)
            keys += len(block.kinds)
        header = self.header
        if (persons, keys) != (header.persons, header.keys):
            raise self._damaged()
        if header.digest(summed.digest()) != header.sha256:
            raise self._damaged()

    def _block(self, file: IO[bytes], head: bytes) -> Block:
        if len(head) != _BLOCK.size:
            raise self._damaged()
        persons, keys = _BLOCK.unpack(head)
        if not 0 < persons <= BLOCK_PERSONS or not persons <= keys <= persons * MOST_KEYS:
            raise self._damaged()
        sizes = (persons * SURROGATE_BYTES, persons, keys, keys * BLIND_BYTES)
        block = Block(*(file.read(size) for size in sizes))
        if len(block.values) != sizes[-1] or not _fitting(block, len(self.header.kinds)):
            raise self._damaged()
        return block

    def _damaged(self) -> IndexFileError:
        return IndexFileError(
            f"{self._name} is cut off or was changed; let the nation build and send it again"
        )


def _sound(header: Header) -> bool:
    kinds = header.kinds
    return bool(
        COUNTRY.fullmatch(header.country)
        and EPOCH.fullmatch(header.epoch)
        and header.blinding in BLINDINGS
        and _MADE.fullmatch(header.made)
        and _DIGEST.fullmatch(header.sha256)
        and type(header.grammar) is type(header.persons) is type(header.keys) is int
        and len(set(kinds)) == len(kinds) <= MOST_KEYS * MOST_KEYS
        and set(kinds) <= {str(kind) for kind in KeyKind}
    )


def _fitting(block: Block, kinds: int) -> bool:
    """Whether counts add up and every kind is one that the header names."""
    return (
        sum(block.counts) == len(block.kinds)
        and min(block.counts) > 0
        and max(block.counts) <= MOST_KEYS
        and max(block.kinds) < kinds
    )
