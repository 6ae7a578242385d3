# SPDX-License-Identifier: EUPL-1.2
"""A detached signature over exact bytes: JWS compact form without its payload (RFC 7515 App. F).

    BASE64URL(header) ".." BASE64URL(r || s) LF

There is one header for each signer, byte for byte, so the reader compares it instead of parsing:
`{"alg":"ES256","kid":"BA","typ":"cuvar-rules"}`. No algorithm, key or type can be chosen by whoever
wrote the file. The key comes from the settings.
"""

from typing import Final

from jose.backends.base import Key
from jose.exceptions import JOSEError

from gateway.identity import TokenError
from gateway.identity.compact import ALGORITHM, b64url, read_b64url

TYPE: Final = "cuvar-rules"
_BYTES: Final = 64  # r and s of P-256
_LONGEST: Final = 512


def sign(data: bytes, signer: str, key: Key) -> bytes:
    """The content of a signature file."""
    header = _header(signer)
    return f"{header}..{b64url(key.sign(_input(header, data)))}\n".encode("ascii")


def verifies(signature: bytes, data: bytes, signer: str, key: Key) -> bool:
    """Whether a signature file is this signer's, under this key, over these bytes."""
    if len(signature) > _LONGEST:
        return False
    try:
        header, dots, encoded = signature.decode("ascii").removesuffix("\n").partition("..")
        raw = read_b64url(encoded)
    except (UnicodeDecodeError, TokenError):
        return False
    expected = _header(signer)
    whole = f"{expected}..{encoded}\n".encode("ascii")
    if header != expected or not dots or len(raw) != _BYTES or signature != whole:
        return False
    try:
        return bool(key.verify(_input(expected, data), raw))
    except (JOSEError, ValueError):
        return False


def _header(signer: str) -> str:
    # Signers' names hold no sign that JSON would escape (policies.manifest.SIGNER).
    text = f'{{"alg":"{ALGORITHM}","kid":"{signer}","typ":"{TYPE}"}}'
    return b64url(text.encode("ascii"))


def _input(header: str, data: bytes) -> bytes:
    return f"{header}.{b64url(data)}".encode("ascii")
