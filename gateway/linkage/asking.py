# SPDX-License-Identifier: EUPL-1.2
"""The asker's side of a look-up across a border: a subject into what a flag is asked with.

Runs at the nation that asks, where the nations' key or the way to the key holder is; the subject
and the salt stay there until a consultation needs them. docs/formats/linkage-flag.md section 1.
"""

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from anonymise.errors import LinkageError
from anonymise.linkage.blinding import Blinder
from anonymise.linkage.keys import keys_of
from anonymise.linkage.names import GRAMMAR
from audit.randomness import random_bytes
from gateway.linkage.asked import Blinded, LinkedSubject
from gateway.linkage.commitment import SALT_BYTES, commitment


def subject_of(content: bytes) -> LinkedSubject:
    """A subject from its JSON.

    Raises:
        LinkageError: it is none; the message names the members, never their values.
    """
    try:
        return LinkedSubject.model_validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        where = sorted({".".join(str(p) for p in fault["loc"]) or "subject" for fault in faults})
        raise LinkageError(
            f"not a subject: look at {', '.join(where)}; its members are given_names, surnames, "
            "sex, date_of_birth, nationality and document_number; a date of birth or a document "
            "number must be there"
        ) from None


def blinded_of(subject: LinkedSubject, blinder: Blinder, blinding: str) -> Mapping[str, Any]:
    """What goes into the questions: `blinded` for the flag, `subject` and `salt` for later.

    Args:
        subject: whom to look for.
        blinder: of the epoch that is asked.
        blinding: its name, hmac or oprf.

    Raises:
        LinkageError: too little is known of the subject to make a key, or no key can be blinded.
    """
    keys = keys_of(subject.person())
    if not keys:
        raise LinkageError(
            "too little is known for a single key: a name with a birth date, or a document number"
        )
    salt = random_bytes(SALT_BYTES)
    written = subject.written()
    blinded = {
        "epoch": blinder.epoch,
        "grammar": GRAMMAR,
        "blinding": blinding,
        "keys": [
            {"kind": key.kind.value, "value": _text(key.value)} for key in blinder.blind(keys)
        ],
        "commitment": commitment(written, salt),
    }
    Blinded.model_validate(blinded, strict=False)
    return {"blinded": blinded, "subject": written, "salt": _text(salt)}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
