# SPDX-License-Identifier: EUPL-1.2
"""Pseudonyms: AES-256 of a person's random surrogate under the key of one domain.

A single block cipher call on exactly one block that is random and unique is a permutation: no
two persons collide, and only the holder of the domain key goes back. Nothing else may pass
through it; codes of groups, whose values are small and guessable, are keyed hashes instead.
docs/formats/pseudonym.md; ADR 0014. Measured at some nanoseconds a row when batched.
"""

from collections.abc import Sequence
from itertools import chain
from struct import Struct, unpack
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC

from anonymise.case_number import ALPHABET
from anonymise.domain import Domain
from anonymise.errors import PseudonymError

BLOCK = 16
_AT_ONCE = 64
_BLOCKS = Struct(f"{BLOCK}s" * _AT_ONCE)
# A code's 60 bits, written ten at a time.
_SHIFTS = (50, 40, 30, 20, 10, 0)
_PAIRS = tuple(one + other for one in ALPHABET for other in ALPHABET)


class DomainCipher:
    """The pseudonyms and codes of one domain; made by `Keyring.domain_cipher`."""

    __slots__ = ("_cipher", "_code_mac", "domain")

    def __init__(self, domain: Domain, pseudonym_key: bytes, code_key: bytes) -> None:
        self.domain = domain
        # ECB is one independent block cipher call a block, which is what is wanted: every block
        # is one whole random surrogate, so no pattern exists that it could show.
        self._cipher = Cipher(algorithms.AES256(pseudonym_key), modes.ECB())  # noqa: S305 - above
        # Keyed once: a copy costs a third of a new one.
        self._code_mac = HMAC(code_key, hashes.SHA256())

    def __repr__(self) -> str:
        return f"DomainCipher({self.domain!r}, key redacted)"

    def __reduce__(self) -> NoReturn:
        raise PseudonymError("a domain cipher holds keys and is never serialised")

    def pseudonym(self, surrogate: bytes) -> bytes:
        """Pseudonym of one person.

        Raises:
            PseudonymError: The surrogate is not 16 bytes.
        """
        return self.pseudonyms((surrogate,))[0]

    def pseudonyms(self, surrogates: Sequence[bytes]) -> list[bytes]:
        """Pseudonyms of a page of persons, in one call.

        Raises:
            PseudonymError: A surrogate is not 16 bytes; then there is none for the whole page.
        """
        return _blocks(self._cipher.encryptor().update(_packed(surrogates)))

    def reverse(self, pseudonym: bytes) -> bytes:
        """Surrogate behind one pseudonym; for a granted re-identification only.

        Raises:
            PseudonymError: The pseudonym is not 16 bytes.
        """
        return self._cipher.decryptor().update(_packed((pseudonym,)))

    def code(self, field: str, value: str) -> str:
        """Code of a group (a family, say) in this domain, as "7K3D-9QXR-2FM4".

        60 bits of HMAC-SHA256 over the field id and the value.
        """
        name, text = field.encode(), value.encode()
        message = len(name).to_bytes(2, "big") + name + text
        mac = self._code_mac.copy()
        mac.update(message)
        number = int.from_bytes(mac.finalize()[:8], "big") >> 4
        pairs = [_PAIRS[number >> shift & 1023] for shift in _SHIFTS]
        return "{}{}-{}{}-{}{}".format(*pairs)


def _packed(values: Sequence[bytes]) -> bytes:
    # Checked a page at a time, in C: a loop here would cost more than the cipher.
    if not set(map(type, values)) <= {bytes} or not set(map(len, values)) <= {BLOCK}:
        raise PseudonymError(
            "a surrogate or pseudonym is exactly 16 bytes; check the register's surrogate column"
        )
    return b"".join(values)


def _blocks(packed: bytes) -> list[bytes]:
    # Sixty-four at a time: half the cost of one by one.
    whole = len(packed) - len(packed) % _BLOCKS.size
    rest = unpack(f"{BLOCK}s" * ((len(packed) - whole) // BLOCK), packed[whole:])
    return [*chain.from_iterable(_BLOCKS.iter_unpack(packed[:whole])), *rest]
