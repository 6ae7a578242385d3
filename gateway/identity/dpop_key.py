# SPDX-License-Identifier: EUPL-1.2
"""The client's side of DPoP: a key and the proofs it signs (RFC 9449 §4.2).

For clients written in Python: the demo, the bench and the tests. The gateway itself never holds
a client's key.
"""

import hashlib
import time
import uuid
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jws
from jose.backends.base import Key

from gateway.identity.compact import ALGORITHM, b64url
from gateway.identity.keys import read_public_jwk
from gateway.identity.principal import Clock

__all__ = ["DpopKey", "public_jwk"]


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The public JWK of a P-256 key: kty, crv, x, y."""
    numbers = key.public_numbers()
    x, y = (b64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


@dataclass(frozen=True, slots=True)
class DpopKey:
    """A client's key pair.

    Attributes:
        jwk: the public half, as it stands in every proof.
        clock: seconds since the epoch.
    """

    key: Key = field(repr=False)
    jwk: dict[str, str]
    clock: Clock = field(default=time.time, repr=False)

    @classmethod
    def generate(cls, clock: Clock = time.time) -> "DpopKey":
        """Make a key pair that lives as long as this object."""
        private = ec.generate_private_key(ec.SECP256R1())
        # python-jose takes cryptography's key objects; its stub does not say so
        key = jwk.construct(private, ALGORITHM)  # type: ignore[arg-type]
        return cls(key, public_jwk(private.public_key()), clock)

    @property
    def jkt(self) -> str:
        """RFC 7638 thumbprint, the value of `cnf.jkt`."""
        return read_public_jwk(self.jwk).thumbprint

    def proof(
        self, method: str, url: str, token: str | None = None, nonce: str | None = None
    ) -> str:
        """A proof for one request.

        Args:
            method: request method.
            url: request address; query and fragment are left out.
            token: the access token sent along; None for the token endpoint.
            nonce: the server's last DPoP-Nonce, if it demands one.
        """
        claims: dict[str, object] = {
            "jti": uuid.uuid4().hex,
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": int(self.clock()),
        }
        if token is not None:
            claims["ath"] = b64url(hashlib.sha256(token.encode("ascii")).digest())
        if nonce is not None:
            claims["nonce"] = nonce
        header = {"typ": "dpop+jwt", "jwk": self.jwk}
        return jws.sign(claims, self.key, headers=header, algorithm=ALGORITHM)
