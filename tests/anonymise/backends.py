# SPDX-License-Identifier: EUPL-1.2
"""The two backends of a keyring, so that one test runs over both."""

from os import urandom
from pathlib import Path

from anonymise.keyring import Keyring
from anonymise.keyring.document import Work, seal_keyset
from anonymise.keyring.file_vault import FileVault
from anonymise.keyring.memory_vault import MemoryVault
from anonymise.keyring.token_vault import TokenVault
from tests.servers import softhsm

PASSPHRASE = "correct horse battery staple"
CHEAP = Work(n=1 << 14)


class FileBackend:
    """Keysets in a file."""

    name = "file"

    def __init__(self, folder):
        self.path = Path(folder) / "keyset.json"

    def create(self, countries):
        return Keyring(FileVault.create(self.path, PASSPHRASE, countries, work=CHEAP))

    def open(self, secret=PASSPHRASE):
        return Keyring(FileVault.open(self.path, secret))

    def holding(self, secrets):
        """A keyring whose roots are known."""
        keyset = MemoryVault.of(secrets)._keyset
        self.path.write_bytes(seal_keyset(keyset, PASSPHRASE, work=CHEAP, random=urandom))
        self.path.chmod(0o600)
        return self.open()


class TokenBackend:
    """Keysets in SoftHSM behind PKCS#11."""

    name = "token"

    def __init__(self):
        self.label = softhsm.fresh_token()

    def create(self, countries):
        return Keyring(TokenVault.create(softhsm.module(), self.label, softhsm.PIN, countries))

    def open(self, secret=softhsm.PIN):
        return Keyring(TokenVault.open(softhsm.module(), self.label, secret))

    def holding(self, secrets):
        """A keyring whose roots were brought into the token, as nobody should outside tests."""
        from pkcs11 import Attribute, KeyType, ObjectClass

        keyring = self.create(secrets)
        session = keyring._vault._token._session
        for country, secret in secrets.items():
            label = f"cuvar root {country} 1 since 0000q1"
            wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label}
            for made in session.get_objects(wanted):
                made.destroy()
            session.create_object(
                {
                    **wanted,
                    Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                    Attribute.VALUE: secret,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.SIGN: True,
                }
            )
        return keyring


def backend(name, folder):
    """The backend of this name."""
    return FileBackend(folder) if name == "file" else TokenBackend()


BOTH = ("file", "token")
