# SPDX-License-Identifier: EUPL-1.2
"""RFC 3161 tokens over checkpoints: that a log stood so on a day, by a clock that is not ours.

One token a day over the newest checkpoint (signed note, byte for byte). Verified offline with the
authority's root certificate: `openssl ts -verify` agrees. The library is an optional part
(`pip install 'cuvar[timestamp]'`); it does no network, `gateway.timestamping` does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509

from audit.errors import TimestampError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"
MAX_TOKEN = 1 << 18


@dataclass(frozen=True, slots=True)
class TimestampQuery:
    """What is sent to an authority, and the nonce that its answer must bear."""

    data: bytes
    nonce: int


def timestamp_query(checkpoint: bytes) -> TimestampQuery:
    """The request for a token over a checkpoint, with SHA-512 and a fresh nonce.

    Raises:
        TimestampError: the optional part is not installed.
    """
    try:
        from rfc3161_client import TimestampRequestBuilder
    except ImportError:
        raise _missing() from None
    request = TimestampRequestBuilder().data(checkpoint).build()
    if request.nonce is None:
        raise TimestampError("the request for a timestamp has no nonce; upgrade rfc3161-client")
    return TimestampQuery(request.as_bytes(), request.nonce)


def verify_timestamp(
    token: bytes, checkpoint: bytes, roots: bytes, *, nonce: int | None = None
) -> datetime:
    """The time that an authority vouches for: the checkpoint existed then.

    Args:
        token: the authority's answer (.tsr).
        checkpoint: the signed note.
        roots: PEM certificates of the authorities that are believed, and of those between.
        nonce: of the query; None for a token read from a file.

    Raises:
        TimestampError: not over this checkpoint, not granted, or not signed under these roots.
    """
    try:
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
    except ImportError:
        raise _missing() from None
    if len(token) > MAX_TOKEN:
        raise TimestampError("a timestamp has at most 256 KiB")
    try:
        response: TimeStampResponse = decode_timestamp_response(token)
        certificates = x509.load_pem_x509_certificates(roots)
        verifier = VerifierBuilder(nonce=nonce, roots=certificates).build()
        verifier.verify_message(response, checkpoint)
    except (VerificationError, ValueError) as error:
        raise TimestampError(
            f"the timestamp does not hold for this checkpoint ({error}); ask the authority again"
        ) from None
    return response.tst_info.gen_time


def _missing() -> TimestampError:
    return TimestampError("timestamps need an optional part: pip install 'cuvar[timestamp]'")
