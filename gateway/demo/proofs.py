# SPDX-License-Identifier: EUPL-1.2
"""What the log proves: a witnessed receipt, a published copy, and two forgeries that are found."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit import LogKey, NoteSigner, NoteVerifier, ProofError, verify_log
from audit.copies import open_copy
from audit.errors import QuorumError
from audit.evidence import check_evidence, make_evidence
from audit.merkle import leaf_hash
from audit.policyfile import parse_policy
from audit.publish import publish
from audit.receipt import parse_receipt, verify_witnessed
from audit.shards import parse_origin
from audit.trust import Cosigned
from audit.verify import Report
from audit.witness import AddCheckpoint
from gateway.demo.authorities import policy_file
from gateway.demo.build import DemoError
from gateway.demo.client import DemoClient, submit
from gateway.demo.people import BORDER
from gateway.demo.tamper import (
    Forged,
    LoggedEntry,
    copy_log,
    edit_published,
    read_entries,
    write_anew,
)
from gateway.logfile import entry_address

LOG: Final = "log.sqlite"
PUBLISHED: Final = "published"
EVIDENCE: Final = "fork.evidence"
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.1
_CONFLICT: Final = 409
_REFUSALS: Final = frozenset({_CONFLICT, 422})


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt as its holder keeps it, and what it proved."""

    data: bytes
    cosigned: Cosigned

    @property
    def checkpoint(self) -> str:
        """The cosigned checkpoint in it."""
        return parse_receipt(self.data).checkpoint.decode()


@dataclass(frozen=True, slots=True)
class Proofs:
    """Proves against a running gateway and its witnesses.

    Attributes:
        folder: of the demonstration.
        client: asks the gateway.
        keys: of the logs, by country.
        say: prints one line.
        patience_s: how long the witnesses may take.
    """

    folder: Path
    client: DemoClient
    keys: Mapping[str, LogKey]
    say: Callable[[str], None]
    patience_s: float = field(default=_PATIENCE_S)

    def receipt(self, address: str) -> Kept:
        """Fetch the receipt of an entry once witnesses cosigned the log, and verify it offline.

        Raises:
            DemoError: they did not in time.
            AuditError: it proves nothing.
        """
        origin, index = entry_address(address)
        (entry,) = read_entries(self.folder / LOG, [address])
        kept = self._witnessed(entry, f"/v1/logs/{origin}/receipts/{index}")
        checkpoint = kept.cosigned.checkpoint
        self.say(f"\nReceipt of {address}: verified offline with the log's public key,")
        self.say(f"   {self._verifier(origin).vkey}")
        self.say(
            f"   and the owner's trust policy, under a checkpoint of {checkpoint.size} entries"
        )
        for witness, second in sorted(kept.cosigned.times.items()):
            moment = datetime.fromtimestamp(second, UTC)
            self.say(f"   cosigned by {witness} at {moment:%Y-%m-%d %H:%M:%S} UTC")
        return kept

    def _witnessed(self, entry: LoggedEntry, path: str) -> Kept:
        origin, _ = entry_address(entry.address)
        policy = parse_policy(self._policy(origin))
        deadline = time.monotonic() + self.patience_s
        while True:
            data = self.client.text(BORDER, path).encode()
            try:
                _, cosigned = verify_witnessed(
                    data, leaf_hash(entry.envelope), policy, origin, self._verifier(origin)
                )
            except QuorumError as error:
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"no quorum of witnesses cosigned {entry.address} within"
                        f" {self.patience_s:.0f} s ({error}); see the witnesses' log files"
                    ) from None
                time.sleep(_PAUSE_S)
            else:
                return Kept(data, cosigned)

    def published(self, address: str) -> None:
        """Publish the entry's log, verify the folder, and find a byte that is changed in a copy.

        Raises:
            DemoError: the folder is not whole, or the change is not found.
        """
        origin, index = entry_address(address)
        country = parse_origin(origin).country
        folder, copy = self.folder / PUBLISHED / country, self.folder / f"published-copy/{country}"
        with open_copy(str(self.folder / LOG), origin) as log:
            publish(log, folder, self._verifier(origin))
        whole = self._verified(folder, origin)
        if not whole.ok or not whole.witnesses:
            raise DemoError(f"the published log is not whole: {_first(whole)}")
        self.say(
            f"\nPublished for everybody, in {PUBLISHED}/{country}: {whole.size} entries, whole,"
        )
        self.say(f"   witnessed by {', '.join(whole.witnesses)}")
        shutil.copytree(folder, copy)
        edited = edit_published(copy, *read_entries(self.folder / LOG, [address]))
        report = self._verified(copy, origin)
        found = [finding for finding in report.findings if finding.index is not None]
        if [finding.index for finding in found] != [index]:
            raise DemoError("a changed byte in the published copy was not found where it is")
        self.say(f"In a copy, {address} says count {edited.after} instead of {edited.before}:")
        for finding in (report.findings[0], report.findings[-1]):
            where = "the log" if finding.index is None else f"entry {finding.index}"
            self.say(f"   {where}: {finding.what}")

    def operator(self, kept: Kept, address: str, witnesses: Mapping[str, str]) -> None:
        """The operator, who holds every key here, writes the log anew around a changed entry.

        Args:
            kept: the entry's receipt.
            address: the entry.
            witnesses: where they listen, by authority.

        Raises:
            DemoError: nobody notices.
        """
        origin, _ = entry_address(address)
        self._caught_up(origin)
        copy = self.folder / "log-copy.sqlite"
        copy_log(self.folder / LOG, copy)
        forged = write_anew(copy, address, self._signer(origin))
        if not self._alone(copy, origin).ok:
            raise DemoError("the forgery is not good enough to show anything")
        self.say(f"\nThe operator holds every key here. In a copy he makes {address} say count")
        self.say(
            f"   {forged.edited.after}, computes the whole log anew and signs it with its key."
        )
        self.say("   Whoever has only the log and its public key finds nothing. But:")
        self._refused(forged, kept, witnesses)
        self._contradicted(forged, kept, copy, origin)

    def _caught_up(self, origin: str) -> None:
        """Wait until witnesses cosigned all that the log holds: then a forgery is a fork."""
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            with open_copy(str(self.folder / LOG), origin) as log:
                head, note = log.head(), log.cosigned()
            if head is not None and note is not None and int(note.split("\n")[1]) == head.size:
                return
            time.sleep(_PAUSE_S)

    def _refused(self, forged: Forged, kept: Kept, witnesses: Mapping[str, str]) -> None:
        told = []
        for country, url in witnesses.items():
            status = _submitted(url, forged, kept.cosigned.checkpoint.size)
            if status not in _REFUSALS:
                raise DemoError(f"the witness of {country} answers a forgery with {status}")
            told.append(f"{country} ({status})")
        self.say(f"   - each witness refuses its checkpoint: {', '.join(told)}")

    def _contradicted(self, forged: Forged, kept: Kept, copy: Path, origin: str) -> None:
        policy, verifier = parse_policy(self._policy(origin)), self._verifier(origin)
        try:
            verify_witnessed(kept.data, leaf_hash(forged.entry), policy, origin, verifier)
        except ProofError as error:
            self.say(f"   - the receipt does not prove the changed entry: {error}")
        else:
            raise DemoError("the receipt proves the changed entry too")
        report = self._alone(copy, origin, kept.checkpoint)
        if report.ok:
            raise DemoError("the receipt's checkpoint does not contradict the forged log")
        self.say(f"   - and its checkpoint contradicts the log: {_first(report)}")
        evidence = make_evidence(
            kept.checkpoint.encode(), forged.note.encode(), verifier, forged.leaves
        )
        file = self.folder / EVIDENCE
        file.write_text(evidence.text, encoding="utf-8")
        self.say(f"   - {EVIDENCE} proves it to anybody: {check_evidence(file.read_bytes())}")

    def _alone(self, copy: Path, origin: str, checkpoint: str | None = None) -> Report:
        """What the log's public key alone, or with a kept checkpoint, finds."""
        place = f"sqlite:///{copy.absolute()}"
        vkey = self._verifier(origin).vkey
        return verify_log(place, vkey=vkey, origin=origin, checkpoint=checkpoint)

    def _verified(self, folder: Path, origin: str) -> Report:
        """What an authority finds, with the log's public key and the trust policy."""
        vkey = self._verifier(origin).vkey
        return verify_log(str(folder), vkey=vkey, origin=origin, policy=self._policy(origin))

    def _policy(self, origin: str) -> bytes:
        return policy_file(self.folder, parse_origin(origin).country).read_bytes()

    def _signer(self, origin: str) -> NoteSigner:
        return self.keys[parse_origin(origin).country].signer(origin)

    def _verifier(self, origin: str) -> NoteVerifier:
        return self._signer(origin).verifier


def _submitted(url: str, forged: Forged, size: int) -> int:
    """What a witness answers to a forged checkpoint, also from where it says that it stands."""
    status, body = _try(url, forged, size)
    if status == _CONFLICT and int(body) <= len(forged.leaves):
        status, _ = _try(url, forged, int(body))
    return status


def _try(url: str, forged: Forged, size: int) -> tuple[int, bytes]:
    request = AddCheckpoint(size, forged.continuing(size), forged.note.encode())
    return submit(f"{url}/add-checkpoint", request.body)


def _first(report: Report) -> str:
    return report.findings[0].what if report.findings else "no witness is named"
