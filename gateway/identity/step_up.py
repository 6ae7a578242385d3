# SPDX-License-Identifier: EUPL-1.2
"""Asking for a stronger or fresher login: RFC 9470.

Some rules need a second factor within the last quarter of an hour (guard `strong_login`). The
pipeline takes the fact from here and, when only that guard was missing, answers with the challenge.
"""

from dataclasses import dataclass

from gateway.identity.claims import SKEW_S
from gateway.identity.errors import Fault, TokenError
from gateway.identity.principal import Principal

__all__ = ["StepUp"]


@dataclass(frozen=True, slots=True)
class StepUp:
    """What counts as a strong, fresh login.

    Attributes:
        acr_values: authentication contexts with a second factor, preferred one first.
        max_age_s: seconds since the login.
    """

    acr_values: tuple[str, ...]
    max_age_s: int = 900

    def strong_login(self, principal: Principal, now: float) -> bool:
        """Whether the asker logged in strongly and recently enough; unknown means no."""
        if principal.acr not in self.acr_values or principal.auth_time is None:
            return False
        # the lower bound allows the issuer's clock to run ahead as claims.py does
        return -SKEW_S <= now - principal.auth_time <= self.max_age_s

    def challenge(self, principal: Principal) -> TokenError:
        """The refusal that tells the client which login to ask its issuer for."""
        parameters = {"acr_values": " ".join(self.acr_values), "max_age": str(self.max_age_s)}
        scheme = "DPoP" if principal.binding == "dpop" else "Bearer"
        return TokenError(Fault.STEP_UP, scheme=scheme, parameters=parameters)
