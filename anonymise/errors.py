# SPDX-License-Identifier: EUPL-1.2
"""Everything that this package refuses, under one root.

A message names the refused thing (a field id, a treatment, a file, a count) and the next step.
INVARIANT: no message carries a value of a row, a pseudonym, a case number or a key. The gateway
catches `AnonymiseError` and answers "unavailable"; nothing else leaves this package.
"""


class AnonymiseError(Exception):
    """Root of all refusals of this package."""


class UnknownTreatmentError(AnonymiseError):
    """A treatment that is not in `treatment.TREATMENTS` was named."""


class PlanError(AnonymiseError):
    """The fields and treatments asked for cannot make a view."""


class ContextError(AnonymiseError):
    """The view needs something that the caller did not pass in."""


class AnonymityError(AnonymiseError):
    """A recipient's row views were to be held to less than the house allows."""


class DomainError(AnonymiseError):
    """A pseudonym domain has a part that is empty, too long or of the wrong form."""


class PseudonymError(AnonymiseError):
    """A surrogate or pseudonym is not exactly one block of 16 bytes."""


class CaseNumberError(AnonymiseError):
    """A case number was misread or miskeyed; the only remedy is to ask again."""


class TableError(AnonymiseError):
    """A table of counts has cells or a threshold that cannot be protected."""


class DisclosureError(TableError):
    """The published figures of a table would tell a figure that is left out."""


class PrivateTableError(TableError):
    """A table cannot be made with differential privacy as it was asked for."""


class LedgerError(TableError):
    """A record of the overlap ledger is not of its format."""


class KeyringError(AnonymiseError):
    """Root of all that can be wrong with root keys and where they stay."""


class KeysetMissingError(KeyringError):
    """No keyset file stands at the path."""


class KeysetExistsError(KeyringError):
    """A file stands there already; a keyset is never overwritten."""


class KeysetPermissionError(KeyringError):
    """The keyset file is open to others, or is no plain file of this user."""


class KeysetDamagedError(KeyringError):
    """The keyset file is half-written or was changed."""


class KeysetVersionError(KeyringError):
    """The keyset file has a version or parameters that this release does not read."""


class WrongPassphraseError(KeyringError):
    """The passphrase does not open this keyset."""


class UnknownCountryError(KeyringError):
    """The keyset holds no root key for the country."""


class RootDestroyedError(KeyringError):
    """The root key that served this epoch was destroyed."""


class RootNotServingError(KeyringError):
    """No root key of this version serves this epoch."""


class KeysetCopiesError(KeyringError):
    """A copy of the keyset stands in the way of destroying a root."""


class TokenRefusedError(KeyringError):
    """The PKCS#11 token does not do what it must, or holds what no root key may be."""


class KeysetUnnamedError(KeyringError):
    """The log does not name this keyset: no pseudonym is made or turned back with it."""


class CeremonyError(KeyringError):
    """A key ceremony asks for what may not be done, or is not approved as it must be."""


class ReidentificationError(AnonymiseError):
    """Root of why one value is not turned back."""


class PermissionExpiredError(ReidentificationError):
    """The permission is not valid yet or not any more."""


class PermissionSpentError(ReidentificationError):
    """The permission was used before."""


class ReleaseError(AnonymiseError):
    """Root of all that stops a release from being made or published."""


class HierarchyError(ReleaseError):
    """A hierarchy file is missing, or is no tree."""


class RecodingError(ReleaseError):
    """The rows and what is demanded of them do not fit, or no recoding can meet the demand."""


class ReleaseExtraError(ReleaseError):
    """A package of the extra `release` is not installed."""


class GateError(ReleaseError):
    """A release does not pass the gate; the message names every demand that it misses."""


class AttackError(ReleaseError):
    """The attacks of the gate could not be run, so there is no result."""


class PublicationError(ReleaseError):
    """A published copy cannot be written or traced."""


class LinkageError(AnonymiseError):
    """A person, a key or an index of linkage can't be made, read or blinded as it was asked for."""


class ElementError(LinkageError):
    """What was sent or came back is no element of the key holder's group."""
