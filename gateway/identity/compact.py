# SPDX-License-Identifier: EUPL-1.2
"""Read the outside of a compact JWS more strictly than python-jose does.

python-jose 3.5.0 takes tokens of any length and type, ignores `crit` and `kid`, lets the last of
two equal names win and dies of deep nesting. This reader runs before it (RFC 7515 §5.2, RFC 8725
§3) and hands over only what a well-behaved issuer writes. The verifier and the DPoP check use it;
pure.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.identity.errors import Fault, TokenError

__all__ = ["ALGORITHM", "Compact", "b64url", "read_b64url", "read_compact", "read_json_object"]

ALGORITHM = "ES256"
LONGEST = 8192
"""Bytes; a token of ours is below 2 KiB."""
_PARTS = 3
_FORBIDDEN = frozenset({"crit", "jku", "x5u", "x5c", "b64", "zip", "enc"})
_B64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Compact:
    """A parsed, still unverified token: header and payload objects, and its text."""

    header: Mapping[str, object] = field(repr=False)
    payload: Mapping[str, object] = field(repr=False)
    text: str = field(repr=False)


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_b64url(text: str, fault: Fault = Fault.MALFORMED) -> bytes:
    """Decode canonical base64url: no padding, no stray bits.

    Raises:
        TokenError: with `fault`, for any other spelling.
    """
    data = None
    if _B64URL.fullmatch(text):
        try:
            data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            data = None
    if data is None or b64url(data) != text:
        raise TokenError(fault)
    return data


class _DuplicateNameError(Exception):
    pass


class _ConstantError(Exception):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateNameError
    return found


def _no_constant(_name: str) -> object:
    raise _ConstantError  # NaN and Infinity are no JSON


def read_json_object(data: bytes) -> dict[str, object]:
    """Parse one JSON object; names are unique at every depth.

    Raises:
        TokenError: DUPLICATE_NAME or MALFORMED; the cause is dropped since it quotes the input.
    """
    fault = Fault.MALFORMED
    try:
        found = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except _DuplicateNameError:
        fault = Fault.DUPLICATE_NAME
    except (ValueError, RecursionError, _ConstantError):
        pass
    else:
        if isinstance(found, dict):
            return found
    raise TokenError(fault)


def read_compact(text: str, *, types: frozenset[str], embedded_key: bool) -> Compact:
    """Split and parse a compact JWS, refusing every header we do not want to understand.

    Args:
        text: the token.
        types: accepted `typ` values, lower case (media types compare without case).
        embedded_key: whether the header must carry `jwk` (DPoP) or must not (tokens).

    Raises:
        TokenError: TOO_LONG, MALFORMED, DUPLICATE_NAME, TYPE, ALGORITHM or HEADER.
    """
    if len(text) > LONGEST:
        raise TokenError(Fault.TOO_LONG)
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise TokenError(Fault.MALFORMED)
    header = read_json_object(read_b64url(parts[0]))
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in types:
        raise TokenError(Fault.TYPE)
    if header.get("alg") != ALGORITHM:
        raise TokenError(Fault.ALGORITHM)
    if not _FORBIDDEN.isdisjoint(header) or ("jwk" in header) != embedded_key:
        raise TokenError(Fault.HEADER)
    payload = read_json_object(read_b64url(parts[1]))
    read_b64url(parts[2])
    return Compact(header, payload, text)
