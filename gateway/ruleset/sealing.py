# SPDX-License-Identifier: EUPL-1.2
"""Holds a rule folder against the pinned keys: every part, every signer, every byte.

The parts follow from the pinned keys and not from the folder, so a folder can neither leave a
country out nor bring one along. A country's key counts for its own folder and for its signature
under `common`, nowhere else. The keeper, `cuvar doctor` and `cuvar policy verify` rely on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gateway.ruleset.errors import Refusal, RuleSetError
from gateway.ruleset.keys import PinnedKeys
from gateway.ruleset.signature import verifies
from policies.errors import Problem, Problems
from policies.loader import model_text
from policies.manifest import (
    COMMON,
    MODEL,
    Manifest,
    compare,
    digest_of,
    files_of,
    is_seal,
    manifest_name,
    part_of,
    read_manifest,
    signature_name,
)

__all__ = ["PartFinding", "SignedPart", "check_set", "examine_set", "signers_of"]


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A part whose signatures hold; `digest` is SHA-256 of its manifest."""

    manifest: Manifest
    digest: str

    @property
    def part(self) -> str:
        """Its name."""
        return self.manifest.part


@dataclass(frozen=True, slots=True)
class PartFinding:
    """What was found of one part: it holds when `problems` is empty."""

    part: str
    signers: tuple[str, ...]
    signed: SignedPart | None
    problems: tuple[Problem, ...]


def signers_of(part: str, keys: PinnedKeys) -> tuple[str, ...]:
    """Who must sign a part: all countries the common one, each signer its own."""
    if part != COMMON:
        return (part,)
    return tuple(sorted(signer for signer in keys if "/" not in signer))


def examine_set(
    files: Mapping[str, bytes], keys: PinnedKeys, *, model: str | None = None
) -> tuple[PartFinding, ...]:
    """Every part with what is wrong with it, `common` first; `model` stands for the program's."""
    # `common` is signed over the program's own model, which lies in no rule folder.
    whole = {**files, MODEL: (model_text() if model is None else model).encode()}
    common = files.get(manifest_name(COMMON))
    stands_on = None if common is None else digest_of(common)
    parts = (COMMON, *sorted(keys))
    findings = [_examine(whole, keys, part, stands_on) for part in parts]
    strays = Problems()
    for name in sorted(files):
        if not _has_place(name, parts, signers_of(COMMON, keys)):
            strays.add(name, 0, "belongs to nobody for whom a key is pinned; take it out")
    if strays.any:
        first = findings[0]
        problems = (*first.problems, *strays.found)
        findings[0] = PartFinding(first.part, first.signers, first.signed, problems)
    return tuple(findings)


def check_set(files: Mapping[str, bytes], keys: PinnedKeys) -> tuple[SignedPart, ...]:
    """Every part of a folder, all of them signed as they must be.

    Raises:
        RuleSetError: one is not; every place is named.
    """
    findings = examine_set(files, keys)
    problems = [problem for finding in findings for problem in finding.problems]
    if problems:
        raise RuleSetError(
            Refusal.SIGNATURE, "the rules are not signed as the settings demand", problems
        )
    return tuple(finding.signed for finding in findings if finding.signed is not None)


def valid_on(parts: tuple[SignedPart, ...], day: date) -> bool:
    """Whether every part is valid on a day."""
    return all(part.manifest.valid(day) for part in parts)


def _has_place(name: str, parts: tuple[str, ...], countries: tuple[str, ...]) -> bool:
    if is_seal(name):
        seals = {signature_name(COMMON, country) for country in countries}
        seals |= {manifest_name(part) for part in parts}
        seals |= {signature_name(part, part) for part in parts if part != COMMON}
        return name in seals
    return part_of(name) in parts


def _examine(
    files: Mapping[str, bytes], keys: PinnedKeys, part: str, common: str | None
) -> PartFinding:
    problems = Problems()
    signers = signers_of(part, keys)
    where = manifest_name(part)
    data = files.get(where)
    manifest = None
    if data is None:
        problems.add(where, 0, f"is missing: {part} is not signed; see `cuvar policy sign`")
    else:
        for signer in signers:
            _check_signature(files, signature_name(part, signer), data, signer, keys, problems)
        manifest = read_manifest(data, where, problems)
    if manifest is not None:
        _check_manifest(files, manifest, part, common, problems)
    found = problems.found
    signed = None
    if manifest is not None and data is not None and not found:
        signed = SignedPart(manifest, digest_of(data))
    return PartFinding(part, signers, signed, found)


def _check_signature(
    files: Mapping[str, bytes],
    name: str,
    data: bytes,
    signer: str,
    keys: PinnedKeys,
    problems: Problems,
) -> None:
    signature = files.get(name)
    if signature is None:
        problems.add(name, 0, f"is missing: {signer} has not signed")
    elif not verifies(signature, data, signer, keys[signer]):
        problems.add(name, 0, f"is no signature of {signer} over this manifest by its pinned key")


def _check_manifest(
    files: Mapping[str, bytes],
    manifest: Manifest,
    part: str,
    common: str | None,
    problems: Problems,
) -> None:
    where = manifest_name(part)
    if manifest.part != part:
        problems.add(where, 2, f"is the manifest of another part than {part}")
        return
    if part != COMMON and manifest.common != common:
        problems.add(where, 6, "stands on another common manifest than the one in this folder")
    compare(manifest, files_of(files, part), where, problems)
