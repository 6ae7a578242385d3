# SPDX-License-Identifier: EUPL-1.2
"""The signer's side: write the manifest of a part, sign it, say in words what was signed.

Used by `cuvar policy sign` in a ministry, and by the demonstration. Files are replaced whole, so
that a gateway that looks at the folder meets the old or the new one; a set between the two is
refused, and the gateway goes on with the set in force.
"""

import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jose.backends.base import Key

from gateway.errors import GatewayError
from gateway.ruleset.keys import fingerprint, public_half
from gateway.ruleset.signature import sign, verifies
from policies.errors import Problems
from policies.loader import model_text, read_folder
from policies.manifest import (
    COMMON,
    MODEL,
    MOST_VERSION,
    PART,
    SIGNER,
    Manifest,
    compare,
    digest_of,
    files_of,
    manifest_name,
    read_manifest,
    signature_name,
    write_manifest,
)


class SigningError(GatewayError):
    """A part can't be signed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PartSigned:
    """What a signer put his name to; `digest` is SHA-256 of the manifest."""

    manifest: Manifest
    digest: str
    signer: str
    file: str
    key: str

    def sentence(self) -> str:
        """In words."""
        m = self.manifest
        until = "until further notice" if m.end is None else f"to {m.end.isoformat()}"
        what = f"part {m.part}, version {m.version}, valid from {m.start.isoformat()} {until}"
        stands = "" if m.common is None else f", standing on the common part {m.common[:16]}…"
        return (
            f"{self.signer} signed {what}, {len(m.files)} files{stands}; digest {self.digest}; "
            f"with the key {self.key}"
        )


def write_part(
    folder: Path, part: str, *, version: int, start: date, end: date | None = None
) -> Manifest:
    """Write the manifest of a part from its files as they lie there.

    Raises:
        SigningError: no such part, a wrong version or date, or the common part has no manifest.
        RulesRefusedError: the folder can't be read.
    """
    if PART.fullmatch(part) is None:
        raise SigningError("a part is common, a country (BA) or a body (INT/UNHCR)")
    if not 1 <= version <= MOST_VERSION or (end is not None and end < start):
        raise SigningError("a version is 1 or more, and the last day is not before the first")
    files = _files(folder)
    listed = files_of(files, part)
    if not listed:
        raise SigningError(f"{folder.name} holds no file of {part}")
    common = None
    if part != COMMON:
        if manifest_name(COMMON) not in files:
            raise SigningError("the common part has no manifest yet; it is signed first")
        common = digest_of(files[manifest_name(COMMON)])
    manifest = Manifest(part, version, start, end, common, listed)
    _refuse_reuse(files.get(manifest_name(part)), manifest)
    _replace(folder / manifest_name(part), write_manifest(manifest))
    return manifest


def sign_part(folder: Path, part: str, signer: str, key: Key) -> PartSigned:
    """Sign the manifest of a part as it lies there.

    Raises:
        SigningError: there is none, it does not fit the files, or the signer may not sign it.
        RulesRefusedError: the folder can't be read.
    """
    allowed = "/" not in signer if part == COMMON else signer == part
    if SIGNER.fullmatch(signer) is None or not allowed:
        raise SigningError(f"{signer} may not sign {part}: countries sign common and their own")
    files = _files(folder)
    data = files.get(manifest_name(part))
    if data is None:
        raise SigningError(f"{part} has no manifest yet; name --version and --from to write it")
    problems = Problems()
    manifest = read_manifest(data, manifest_name(part), problems)
    if manifest is not None:
        _check(files, manifest, part, problems)
    if manifest is None or problems.any:
        found = "\n".join(str(problem) for problem in problems.found)
        raise SigningError(f"the manifest of {part} does not fit the folder:\n{found}")
    signature = sign(data, signer, key)
    if not verifies(signature, data, signer, public_half(key)):
        raise SigningError("the new signature does not verify; nothing was written")
    name = signature_name(part, signer)
    _replace(folder / name, signature)
    return PartSigned(manifest, digest_of(data), signer, name, fingerprint(public_half(key)))


def _files(folder: Path) -> dict[str, bytes]:
    """The folder with the program's own model, which the common part is signed over."""
    return {**read_folder(folder), MODEL: model_text().encode()}


def _check(files: dict[str, bytes], manifest: Manifest, part: str, problems: Problems) -> None:
    where = manifest_name(part)
    if manifest.part != part:
        problems.add(where, 2, "is the manifest of another part")
    if part != COMMON and manifest.common != digest_of(files.get(manifest_name(COMMON), b"")):
        problems.add(where, 6, "stands on another common part than the one in this folder")
    compare(manifest, files_of(files, part), where, problems)


def _refuse_reuse(old: bytes | None, new: Manifest) -> None:
    """A version number means one content for ever; a gateway would refuse a second one."""
    before = None if old is None else read_manifest(old, "manifest", Problems())
    if before is None or before == new:
        return
    if new.version <= before.version:
        raise SigningError(
            f"{new.part} has version {before.version} already; a changed part needs a higher one"
        )


def _replace(path: Path, data: bytes) -> None:
    """Write beside the folder's own files and rename, so that no reader meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file beside is none of a rule folder: a look in between refuses the set, which does no
    # harm, and the next look finds it gone.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise SigningError(f"{path.name} can't be written; check its folder") from None
