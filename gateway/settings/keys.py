# SPDX-License-Identifier: EUPL-1.2
"""`[keys]`: where the roots of pseudonyms stay, what opens them, and who decides about them."""

from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from gateway.settings.section import Seconds, Section
from gateway.settings.values import FilePath

__all__ = ["KeysSettings", "TokenSettings"]


class TokenSettings(Section):
    """A PKCS#11 token in which the root keys stay; needs the optional part `hsm`."""

    module: FilePath = Field(description="The maker's PKCS#11 library, an absolute path.")
    label: str = Field(
        min_length=1, max_length=32, description="Label of the token, as it was initialised."
    )


class KeysSettings(Section):
    """The keys behind pseudonyms and case numbers."""

    keyset: FilePath | None = Field(
        default=None, description="Encrypted keyset file, made at set-up; or `token`."
    )
    token: TokenSettings | None = Field(
        default=None, description="One table, see its section; in place of `keyset`."
    )
    passphrase_file: FilePath | None = Field(
        default=None,
        description="File that holds the keyset's passphrase or the token's PIN (0600).",
    )
    passphrase_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the passphrase or PIN.",
    )
    passphrase: SecretStr | None = Field(
        default=None,
        description="The passphrase itself. Development only: whoever reads this file has it.",
    )
    reload_s: Seconds = Field(
        default=10.0,
        description="How often a running gateway looks whether a ceremony changed the root keys.",
    )
    custodians: Annotated[tuple[FilePath, ...], Field(strict=False)] = Field(
        default=(),
        description="Public keys of the custodians of a new keyset, two at least, of two "
        "organisations (`cuvar keys custodian`). A keyset remembers its own; production makes, "
        "rotates and destroys no root key without two of them.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> "KeysSettings":
        if (self.keyset is None) == (self.token is None):
            raise ValueError("give exactly one of keyset, token")
        given = (self.passphrase_file, self.passphrase_env, self.passphrase)
        if sum(source is not None for source in given) != 1:
            raise ValueError("give exactly one of passphrase_file, passphrase_env, passphrase")
        return self
