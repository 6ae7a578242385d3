# SPDX-License-Identifier: EUPL-1.2
"""The commitment that ties a consultation to its flag without telling the flag's subject.

SHA-256 over a salt of 32 random bytes and the subject as canonical JSON (RFC 8785; its members
are texts with plain ASCII names, for which sorting the names is all there is to it). Who has no
salt can test no subject against it; who made it can open it in one way only.
docs/formats/linkage-flag.md section 3.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

import orjson

SALT_BYTES: Final = 32


def commitment(subject: Mapping[str, str], salt: bytes) -> str:
    """The commitment to a subject, lower-case hex.

    Args:
        subject: its members as they will be sent with the consultation.
        salt: 32 bytes of the asker's side, kept until then.
    """
    canonical = orjson.dumps(dict(subject), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(salt + canonical).hexdigest()


def opens(committed: str, subject: Mapping[str, str], salt: str) -> bool:
    """Whether subject and salt (base64url) are those of the commitment."""
    raw = base64.urlsafe_b64decode(salt + "=" * (-len(salt) % 4))
    return len(raw) == SALT_BYTES and hmac.compare_digest(committed, commitment(subject, raw))
