# SPDX-License-Identifier: EUPL-1.2
"""A session with a PKCS#11 token (v2.40), and its errors in our own words.

The only module that talks to the library; `token_vault` says what to do. A session that was lost
(a network token, a pulled card) is opened again once. Needs the extra `cuvar[hsm]`.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from anonymise.errors import (
    KeyringError,
    KeysetMissingError,
    TokenRefusedError,
    WrongPassphraseError,
)

try:
    import pkcs11
    from pkcs11 import Mechanism
except ImportError:
    raise KeyringError(
        "a token needs the package python-pkcs11: pip install 'cuvar[hsm]'"
    ) from None

_T = TypeVar("_T")
_LOST = (
    pkcs11.SessionHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.DeviceRemoved,
    pkcs11.DeviceError,
    pkcs11.UserNotLoggedIn,
    pkcs11.TokenNotPresent,
)


class TokenSession:
    """One process's way into one token. `_session` is owned by the holder of `alone`."""

    __slots__ = ("_module", "_pin", "_session", "alone", "label")

    def __init__(self, module: Path, label: str, pin: str) -> None:
        """Nothing is opened before the first `call`."""
        self._module, self.label, self._pin = module, label, pin
        self.alone = threading.RLock()
        self._session: Any = None

    def call(self, work: Callable[[Any], _T]) -> _T:
        """Do something in the session.

        Raises:
            KeysetMissingError: There is no such module or token.
            WrongPassphraseError: The PIN is another one, or is locked.
            KeyringError: The token refuses.
        """
        with self.alone:
            try:
                return self._once(work)
            except _LOST:
                pass
            except pkcs11.PKCS11Error as error:
                raise self._refused(error) from None
            try:
                return self._once(work)
            except pkcs11.PKCS11Error as error:
                raise self._refused(error) from None

    def close(self) -> None:
        """Close the session and forget the PIN."""
        with self.alone:
            if self._session is not None:
                with suppress(pkcs11.PKCS11Error):
                    self._session.close()
            self._session, self._pin = None, ""

    def _once(self, work: Callable[[Any], _T]) -> _T:
        try:
            if self._session is None:
                self._session = self._opened()
            return work(self._session)
        except pkcs11.PKCS11Error:
            self._session = None
            raise

    def _opened(self) -> Any:
        if not self._pin:
            raise KeyringError("the token was closed; open it again")
        try:
            library = pkcs11.lib(str(self._module))
        except (RuntimeError, OSError):
            raise KeysetMissingError(
                f"{self._module.name} is no PKCS#11 module; check [keys.token] module"
            ) from None
        token = _token(library, self.label)
        if Mechanism.SHA256_HMAC not in token.slot.get_mechanisms():
            raise TokenRefusedError(f"the token {self.label} has no HMAC-SHA256; use another one")
        try:
            return token.open(user_pin=self._pin, rw=True)
        except pkcs11.UserAlreadyLoggedIn:
            # PKCS#11 logs a process in, not a session: this process gave the PIN before.
            return token.open(rw=True)

    def _refused(self, error: pkcs11.PKCS11Error) -> KeyringError:
        name = type(error).__name__
        if isinstance(error, pkcs11.PinIncorrect | pkcs11.PinInvalid | pkcs11.PinLenRange):
            return WrongPassphraseError(
                f"the PIN does not open the token {self.label}; a few more tries may lock it"
            )
        if isinstance(error, pkcs11.PinLocked):
            return WrongPassphraseError(
                f"the PIN of the token {self.label} is locked; its security officer can reset it"
            )
        if isinstance(error, pkcs11.NoSuchToken | pkcs11.TokenNotPresent):
            return KeysetMissingError(
                f"there is no token {self.label}; check [keys.token] and that it is plugged in"
            )
        return KeyringError(
            f"the token {self.label} refused ({name}); nothing was changed, see its own log"
        )

    def __repr__(self) -> str:
        return f"TokenSession({self.label}, PIN redacted)"

    def __reduce__(self) -> NoReturn:
        raise KeyringError("a token session holds a PIN and is never serialised")


def _token(library: Any, label: str) -> Any:
    try:
        return library.get_token(token_label=label)
    except pkcs11.NoSuchToken:
        # A module lists its tokens when it is loaded; one that was made since is found now.
        library.reinitialize()
        return library.get_token(token_label=label)
