# SPDX-License-Identifier: EUPL-1.2
"""Sealed details: who, about whom and why, readable by the data protection officers only.

A content key is made per window (at most ten minutes, per set of recipients) and wrapped once to
each recipient with HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM). Each entry draws a 32-byte
salt; its own key is HKDF-Expand(content key, salt), so it costs one HMAC and one AES-GCM. The
envelope commits to salt, window and ciphertext. Deleting salt and ciphertext erases the detail for
good while every proof stays valid (Eurodac Art. 41(4)). docs/formats/log.md, section 4; ADR 0005.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from audit.errors import SealError
from audit.randomness import random_bytes

WINDOW = timedelta(minutes=10)
MAX_RECIPIENTS = 16
MAX_DETAIL = 1 << 20
_MAGIC = b"cuvar-window-1\n"
_WRAP = b"cuvar window key 1\n"
_EXPAND = b"cuvar detail key 1\n"
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_NONCE = bytes(12)  # each entry's key encrypts once, so a fixed nonce never repeats under a key
_BLOCK = 256
_LENGTH = 4
_WRAPPED = 32 + 32 + 16  # encapsulated key, content key, tag
_SALT = 32
_OPENED = 256  # windows that an Unsealer remembers
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed detail: ciphertext, its salt, the commitment for the envelope, the window header."""

    blob: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    commitment: bytes
    window: bytes = field(repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Ids of the recipients' keys, sorted."""
        return tuple(sorted(_wrapped_keys(self.window)))


@dataclass(frozen=True, slots=True)
class _Window:
    """A content key, its public header and when it was made. Only its Sealer sees one."""

    mac: hmac.HMAC = field(repr=False)
    """keyed with the content key once: keying anew costs many times the hash itself"""
    header: bytes
    digest: bytes
    opened: datetime


def commit_detail(salt: bytes, window: bytes, blob: bytes) -> bytes:
    """SHA-256 over salt, SHA-256 of the window header, and ciphertext."""
    return hashlib.sha256(salt + hashlib.sha256(window).digest() + blob).digest()


class Sealer:
    """Seals details to data protection officers.

    Args:
        recipients: X25519 public key of each key id.
        clock: an aware UTC time; a window is never used longer than ten minutes of it.
    """

    def __init__(
        self, recipients: Mapping[str, X25519PublicKey], clock: Callable[[], datetime]
    ) -> None:
        for key_id in recipients:
            if not _KEY_ID.fullmatch(key_id):
                raise SealError(f"the recipient id {key_id!r} is not of letters, digits, . _ -")
        self._recipients = dict(recipients)
        self._clock = clock
        # Owned by the one thread that seals; one open window per set of recipients.
        self._windows: dict[tuple[str, ...], _Window] = {}

    def seal(self, detail: bytes, to: Sequence[str]) -> Sealed:
        """Seal one detail so that each recipient alone can open it.

        Raises:
            SealError: no or an unknown recipient, or the detail is over 1 MiB.
        """
        if len(detail) > MAX_DETAIL:
            raise SealError("a detail has at most 1 MiB; put long lists into an export")
        window = self._window(tuple(to))
        salt = random_bytes(_SALT)
        padded = len(detail).to_bytes(_LENGTH, "big") + detail
        padded += bytes(-len(padded) % _BLOCK)
        blob = AESGCM(_entry_key(window.mac, salt)).encrypt(_NONCE, padded, window.digest)
        commitment = hashlib.sha256(salt + window.digest + blob).digest()
        return Sealed(blob, salt, commitment, window.header)

    def _window(self, to: tuple[str, ...]) -> _Window:
        now = self._clock()
        window = self._windows.get(to)
        if window is None or not window.opened <= now < window.opened + WINDOW:
            window = self._open_window(tuple(sorted(set(to))), now)
            self._windows = {
                key: kept
                for key, kept in self._windows.items()
                if kept.opened <= now < kept.opened + WINDOW
            }
            self._windows[to] = window
        return window

    def _open_window(self, to: tuple[str, ...], now: datetime) -> _Window:
        if not 1 <= len(to) <= MAX_RECIPIENTS:
            raise SealError(f"a detail is sealed to 1 to {MAX_RECIPIENTS} recipients")
        key = os.urandom(32)
        header = [_MAGIC]
        for key_id in to:
            public = self._recipients.get(key_id)
            if public is None:
                raise SealError(f"no public key is known for the recipient {key_id!r}")
            wrapped = _SUITE.encrypt(key, public, _WRAP + key_id.encode())
            header += [bytes([len(key_id)]), key_id.encode(), wrapped]
        joined = b"".join(header)
        return _Window(_keyed(key), joined, hashlib.sha256(joined).digest(), now)


def _keyed(content_key: bytes) -> hmac.HMAC:
    return hmac.new(content_key, digestmod="sha256")


def _entry_key(mac: hmac.HMAC, salt: bytes) -> bytes:
    """HKDF-Expand (RFC 5869) for one block: the content key is uniform, so no extract is needed."""
    one = mac.copy()
    one.update(_EXPAND + salt + b"\x01")
    return one.digest()


def _wrapped_keys(header: bytes) -> dict[str, bytes]:
    """Key id to wrapped content key.

    Raises:
        SealError: not a window header.
    """
    found: dict[str, bytes] = {}
    rest = header.removeprefix(_MAGIC)
    if rest == header:
        raise SealError("the sealed detail has no window header of this format")
    while rest:
        size = 1 + rest[0]
        key_id, wrapped = rest[1:size], rest[size : size + _WRAPPED]
        text = key_id.decode("ascii", "replace")
        if len(wrapped) != _WRAPPED or not _KEY_ID.fullmatch(text) or text in found:
            raise SealError("the window header of the sealed detail is damaged")
        found[text] = wrapped
        rest = rest[size + _WRAPPED :]
    return found


class Unsealer:
    """Opens many details with one recipient's private key, each window's content key once."""

    def __init__(self, private: X25519PrivateKey) -> None:
        """Keep the key in memory for as long as this object lives."""
        self._private = private
        self._windows: dict[bytes, tuple[bytes, hmac.HMAC]] = {}  # header: its hash, content key

    def open(self, sealed: Sealed) -> bytes:
        """The detail.

        Raises:
            SealError: the key is of no recipient, or salt, window or ciphertext were changed.
        """
        if commit_detail(sealed.salt, sealed.window, sealed.blob) != sealed.commitment:
            raise SealError("the sealed detail is not the one that the envelope commits to")
        digest, mac = self._opened(sealed.window)
        try:
            padded = AESGCM(_entry_key(mac, sealed.salt)).decrypt(_NONCE, sealed.blob, digest)
        except InvalidTag:
            raise SealError("the sealed detail does not decrypt: its bytes were changed") from None
        return _unpad(padded)

    def knows(self, header: bytes) -> bool:
        """Whether the key is of one of this window's recipients."""
        try:
            self._opened(header)
        except SealError:
            return False
        return True

    def _opened(self, header: bytes) -> tuple[bytes, hmac.HMAC]:
        found = self._windows.get(header)
        if found is None:
            mac = _keyed(_content_key(header, self._private))
            if len(self._windows) >= _OPENED:
                self._windows.clear()
            found = self._windows[header] = hashlib.sha256(header).digest(), mac
        return found


def _content_key(header: bytes, private: X25519PrivateKey) -> bytes:
    for key_id, wrapped in _wrapped_keys(header).items():
        try:
            return _SUITE.decrypt(wrapped, private, _WRAP + key_id.encode())
        except (InvalidTag, ValueError):
            continue
    raise SealError("the private key is of none of this detail's recipients")


def open_sealed(sealed: Sealed, private: X25519PrivateKey) -> bytes:
    """The detail, opened with one recipient's private key.

    Raises:
        SealError: the key is of no recipient, or salt, window or ciphertext were changed.
    """
    return Unsealer(private).open(sealed)


def _unpad(padded: bytes) -> bytes:
    size = int.from_bytes(padded[:_LENGTH], "big")
    detail, padding = padded[_LENGTH : _LENGTH + size], padded[_LENGTH + size :]
    if len(detail) != size or len(padding) >= _BLOCK or any(padding):
        raise SealError("the sealed detail is padded wrongly")
    return detail
