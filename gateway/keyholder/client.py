# SPDX-License-Identifier: EUPL-1.2
"""A nation's way to the key holder: blinded elements out, evaluated ones back.

One connection a request, over TLS unless the key holder is on this machine. Batches are of a fixed
shape, so that an eavesdropper learns little from their number. When the hour's elements are spent,
the building of an index waits as long as it is told to; a question does not.
"""

import base64
import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from anonymise.errors import LinkageError
from anonymise.linkage.oprf import ELEMENT_BYTES, OprfBlinder
from gateway.keyholder.app import MOST_ELEMENTS
from gateway.keyholder.folder import read_client

_TIMEOUT_S: Final = 60.0
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_OK, _SPENT, _UNKNOWN, _CLOSED = 200, 429, 401, 404


@dataclass(frozen=True, slots=True)
class KeyHolderClient:
    """One nation at one key holder.

    Attributes:
        url: The key holder's address, prefix included.
        token: That admits the nation.
        wait: Waits so many seconds when the hour is spent; None: that is an error.
    """

    url: str
    token: bytes = field(repr=False)
    wait: Callable[[float], None] | None = None

    @classmethod
    def of(cls, url: str, client: Path, *, patient: bool = False) -> "KeyHolderClient":
        """From the file that the key holder gave.

        Raises:
            LinkageError: the address is none.
            KeyHolderError, KeyringError: the file is none, or open to others.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise LinkageError("the key holder's address begins with https://")
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise LinkageError("the key holder is asked over https; http is for this machine only")
        return cls(url.rstrip("/"), read_client(client), time.sleep if patient else None)

    def blinder(self, epoch: str) -> OprfBlinder:
        """A blinder that asks him.

        Raises:
            LinkageError: the epoch is none.
        """
        return OprfBlinder(lambda elements: self.evaluate(epoch, elements), epoch)

    def evaluate(self, epoch: str, elements: list[bytes]) -> list[bytes]:
        """What he makes of blinded elements, in order.

        Raises:
            LinkageError: he does not answer, or refuses; the message says what to do.
        """
        done: list[bytes] = []
        for start in range(0, len(elements), MOST_ELEMENTS):
            part = elements[start : start + MOST_ELEMENTS]
            answer = self._asked(epoch, b"".join(part))
            if len(answer) != len(part) * ELEMENT_BYTES:
                raise LinkageError("the key holder left elements out; ask him again")
            done += [answer[at : at + ELEMENT_BYTES] for at in range(0, len(answer), ELEMENT_BYTES)]
        return done

    def _asked(self, epoch: str, body: bytes) -> bytes:
        while True:
            status, answer, retry = self._posted(epoch, body)
            if status == _OK:
                return answer
            if status == _SPENT and self.wait is not None:
                self.wait(retry)
                continue
            raise LinkageError(_REFUSALS.get(status, _OTHER))

    def _posted(self, epoch: str, body: bytes) -> tuple[int, bytes, float]:
        parts = urlsplit(self.url)
        host, path = parts.hostname or "", f"{parts.path}/v1/evaluate/{epoch}"
        connection = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
        )
        shown = base64.urlsafe_b64encode(self.token).decode()
        headers = {
            "authorization": f"Bearer {shown}",
            "content-type": "application/octet-stream",
            "connection": "close",
        }
        try:
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            answer = response.read(MOST_ELEMENTS * ELEMENT_BYTES + 1)
            retry = response.getheader("retry-after", "")
            return response.status, answer, float(retry) if retry.isdigit() else 1.0
        except (OSError, http.client.HTTPException):
            raise LinkageError(
                "the key holder does not answer; look at his address, or ask again later"
            ) from None
        finally:
            connection.close()


_OTHER: Final = "the key holder can't answer now; ask again later"
_REFUSALS: Final = {
    _SPENT: "this hour's elements are spent at the key holder; ask again in the next",
    _UNKNOWN: "the key holder does not know this nation's token; let him admit it again",
    _CLOSED: "the key holder has not opened this quarter; ask him which are open",
}
