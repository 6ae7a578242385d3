# SPDX-License-Identifier: EUPL-1.2
"""Whom a question is about: from its body to a selector for the owner's register.

The person behind a hit travels as an opaque token bound to the asker, the purpose and the
owner; the person behind a coded row as a case number that only the asker's own domain resolves.
Nothing here tells whether such a person exists.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, assert_never

import orjson

from anonymise import (
    Domain,
    Keyring,
    epoch_of,
)
from anonymise.errors import PermissionExpiredError, PermissionSpentError
from anonymise.reidentify import Permission, reidentify
from gateway.errors import GatewayError
from gateway.facts import FactRegister
from gateway.facts.grants import approving, canonical_number, grants
from gateway.grant_log import GrantLog
from gateway.handles import HandleError, Handles, handle_digest
from gateway.inquiry import Inquiry
from gateway.linkage.candidates import NotIndexedError
from gateway.linkage.commitment import opens
from gateway.questions import (
    AnyQuestion,
    ConsultQuestion,
    CountQuestion,
    FindQuestion,
    ListQuestion,
    ReadQuestion,
    RecordReference,
    ReidentifyQuestion,
    TraceQuestion,
)
from gateway.sources import ByReference, BySurrogate, BySurrogates, Everything, Selector
from gateway.state import IssuedCaseNumbers, UsedTokens
from gateway.store import StoreError
from policies import Truth

TOKEN_LIFE: Final = timedelta(hours=24)
GRANT_KEPT: Final = timedelta(days=3650)
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


class SubjectError(GatewayError):
    """The subject can't be used as it was named; the message says what to name instead."""


class NobodyError(GatewayError):
    """The reference leads to nobody that the asker may know of: answered like an empty register."""


class GrantError(GatewayError):
    """No unspent grant to turn this number back is in force any more."""


class Subjects:
    """Resolves subjects; issues and checks the tokens of hits."""

    def __init__(
        self,
        handles: Handles,
        keyring: Keyring,
        case_numbers: IssuedCaseNumbers,
        used: UsedTokens,
        spent: "SpentGrants",
        facts: FactRegister,
    ) -> None:
        """Use opened parts."""
        self._handles = handles
        self._keyring = keyring
        self._case_numbers = case_numbers
        self._used = used
        self._spent = spent
        self._facts = facts

    def token(self, inquiry: Inquiry, owner: str, person: str) -> str:
        """A token for the second step after a hit, good for a day and this asker only.

        After a blinded question it is also bound to the commitment to the question's subject.
        """
        expires = (inquiry.now + TOKEN_LIFE).strftime(_INSTANT)
        content: dict[str, str | int] = {"p": person, "x": expires}
        asked = inquiry.asked
        if isinstance(asked, FindQuestion) and asked.blinded is not None:
            content["c"] = asked.blinded.commitment
        return self._handles.seal("hit", _bound(inquiry, owner), content)

    async def token_live(self, inquiry: Inquiry, owner: str, token: str) -> Truth:
        """The fact `hit_token`: whether a token is live for this asker, purpose, owner, subject."""
        try:
            content = self._handles.open("hit", _bound(inquiry, owner), token)
            if str(content["x"]) <= inquiry.now.strftime(_INSTANT):
                return Truth.FALSE
            if not _same_subject(inquiry, content):
                return Truth.FALSE
            used = await self._used.used(handle_digest(token))
        except HandleError:
            return Truth.FALSE
        except StoreError:
            return Truth.POSSIBLE
        return Truth.FALSE if used else Truth.TRUE

    async def spend(self, inquiry: Inquiry, owner: str, token: str) -> bool:
        """Use a token up; False when somebody was quicker.

        Raises:
            StoreError: it can't be marked, so it may not be used.
        """
        content = self._handles.open("hit", _bound(inquiry, owner), token)
        return await self._used.use(handle_digest(token), str(content["x"]))

    async def explained(self, inquiry: Inquiry, owner: str, token: str) -> bool:
        """Whether the match behind a token was explained before; from now on it was.

        Raises:
            StoreError: it can't be remembered.
        """
        content = self._handles.open("hit", _bound(inquiry, owner), token)
        digest = hashlib.sha256(orjson.dumps(["explained", handle_digest(token)])).hexdigest()
        return not await self._used.use(digest, str(content["x"]))

    async def spend_grant(self, inquiry: Inquiry) -> bool:
        """Use up the grant of a single-use answer: once per case, asker and question.

        Raises:
            StoreError: it can't be marked, so it may not be used.
        """
        asked = inquiry.asked
        parts = (
            *_bound(inquiry, ""),
            asked.case_no or "",
            asked.model_dump_json(exclude={"reason", "role"}),
        )
        digest = hashlib.sha256(orjson.dumps(["grant", *parts])).hexdigest()
        return await self._used.use(digest, (inquiry.now + GRANT_KEPT).strftime(_INSTANT))

    async def selector(self, inquiry: Inquiry, owner: str) -> Selector:
        """What to select at this owner.

        Raises:
            SubjectError: the question must name its subject otherwise.
            NobodyError: the reference leads nowhere.
            NotIndexedError: blind keys can't be looked up at this owner.
            StoreError: a case number can't be looked up now.
        """
        asked = inquiry.asked
        match asked:
            case FindQuestion():
                return _sought(inquiry, asked, owner)
            case ListQuestion():
                return self._listed(inquiry, asked, owner)
            case ConsultQuestion(token=str() as token):
                content = self._handles.open("hit", _bound(inquiry, owner), token)
                return ByReference("person", str(content["p"]))
            case ReidentifyQuestion():
                return await self._reversed(inquiry, asked, owner)
            case ConsultQuestion(reference=RecordReference() as reference):
                return await self._referenced(inquiry, owner, reference)
            case ReadQuestion(reference=reference) | TraceQuestion(reference=reference):
                return await self._referenced(inquiry, owner, reference)
            case CountQuestion() | ConsultQuestion():
                raise NobodyError("a table or a consultation without a subject names nobody")
            case _:
                assert_never(asked)

    async def _referenced(
        self, inquiry: Inquiry, owner: str, reference: RecordReference
    ) -> Selector:
        if reference.kind != "case_number":
            return ByReference(reference.kind, reference.ref)
        epoch = reference.epoch or epoch_of(inquiry.now.date())
        parts = (owner, inquiry.asker.org, inquiry.asked.purpose, epoch)
        domain, pseudonym = await self._issued(parts, reference.ref)
        return BySurrogate(self._keyring.domain_cipher(domain).reverse(pseudonym))

    async def _reversed(self, inquiry: Inquiry, asked: ReidentifyQuestion, owner: str) -> Selector:
        if asked.reference.kind != "case_number":
            raise SubjectError("re-identification takes one case number")
        parts = (owner, asked.recipient, asked.recipient_purpose, asked.epoch)
        domain, pseudonym = await self._issued(parts, asked.reference.ref)
        scope, known = inquiry.scope(owner), inquiry.snapshot.vocabulary.organisations
        # Each names this very number; asked for anew, for one may have been withdrawn meanwhile.
        for grant in grants(self._facts, scope, inquiry.now, known):
            permission = Permission(
                grant=grant.key,
                domain=domain,
                pseudonym=pseudonym,
                granted_by=approving(grant.by_unit) or (),
                valid_from=grant.valid_from,
                valid_to=grant.valid_to,
            )
            try:
                found = await reidentify(self._keyring, permission, self._spent, now=inquiry.now)
            except (PermissionSpentError, PermissionExpiredError):
                continue
            return BySurrogate(found)
        raise GrantError("no unspent grant is in force for this; it must be granted again")

    async def _issued(self, parts: tuple[str, str, str, str], text: str) -> tuple[Domain, bytes]:
        """The domain that a case number was issued in, and the pseudonym behind it."""
        number = canonical_number(text)
        if number is None:
            raise SubjectError(
                "this is no case number; read it again, its check symbols do not fit"
            )
        for domain in self._keyring.domains(*parts):
            pseudonym = await self._case_numbers.resolve(domain, number)
            if pseudonym is not None:
                return domain, pseudonym
        raise NobodyError("no such case number in this domain")

    def _listed(self, inquiry: Inquiry, asked: ListQuestion, owner: str) -> Selector:
        guards = inquiry.guards(owner)
        persons = None
        if "assigned_case" in guards:
            persons = self._facts.persons("assigned_case", inquiry.scope(owner), inquiry.now)
        centre = asked.centre
        if centre is None and "own_centre" in guards:
            postings = inquiry.asker.principal.postings
            if len(postings) != 1:
                raise SubjectError("name one of your centres in the field centre")
            centre = postings[0]
        return Everything(centre=centre, persons=persons)

    def cursor(self, inquiry: Inquiry, owner: str, after: str) -> str:
        """The cursor of the next page, bound to this asker, question and rule set."""
        return self._handles.seal("page", _page(inquiry, owner), {"k": after})

    def position(self, inquiry: Inquiry, owner: str) -> str | None:
        """Where a list goes on.

        Raises:
            SubjectError: the cursor is not one of this asker, question and rule set.
        """
        asked = inquiry.asked
        if not isinstance(asked, ListQuestion) or asked.after is None:
            return None
        try:
            return str(self._handles.open("page", _page(inquiry, owner), asked.after)["k"])
        except HandleError:
            raise SubjectError(
                "the cursor does not fit this question or the rules have changed; "
                "start the list again"
            ) from None


class SpentGrants:
    """Spent grants to turn a number back, for good, in the state database and in the log.

    The state database refuses a second use without another entry. The log decides.
    """

    def __init__(self, used: UsedTokens, log: GrantLog) -> None:
        """Beside the used tokens, under digests that are none of theirs."""
        self._used, self._log = used, log

    async def spend(self, grant: str, until: datetime) -> bool:
        """Mark a grant as spent; False when it was before.

        Raises:
            StoreError: it can't be marked, so it may not be used.
            AuditError: the log can't be written or read; the same.
        """
        digest = hashlib.sha256(orjson.dumps(["reidentify", grant])).hexdigest()
        if not await self._used.use(digest, (until + GRANT_KEPT).strftime(_INSTANT)):
            return False
        return await self._log.spend(grant)


def query_of(asked: AnyQuestion) -> Mapping[str, object]:
    """What was used for querying, for the sealed detail (EUR-29).

    Of blind keys their kinds and the commitment: any nation could try names against their values.
    """
    told = asked.model_dump(mode="json", exclude_none=True, exclude={"reason", "case_no"})
    if isinstance(asked, FindQuestion) and asked.blinded is not None:
        told["blinded"] = asked.blinded.told()
    return told


def _same_subject(inquiry: Inquiry, content: Mapping[str, str | int]) -> bool:
    """Whether a consultation brings the very subject that its token's question was about."""
    asked, committed = inquiry.asked, content.get("c")
    if not isinstance(asked, ConsultQuestion) or committed is None:
        return committed is None and isinstance(asked, ConsultQuestion) and asked.subject is None
    if asked.subject is None or asked.salt is None:
        return False
    return opens(str(committed), asked.subject.written(), asked.salt)


def _sought(inquiry: Inquiry, asked: FindQuestion, owner: str) -> Selector:
    if asked.subject is not None:
        return asked.subject.person()
    found = inquiry.candidates.get(owner)
    if found is None:
        raise NotIndexedError(f"no index of {owner} is loaded for these keys; ask again later")
    return BySurrogates(found.fetched())


def _bound(inquiry: Inquiry, owner: str) -> tuple[str, ...]:
    principal = inquiry.asker.principal
    return (principal.issuer, principal.officer, principal.org, inquiry.asked.purpose, owner)


def _page(inquiry: Inquiry, owner: str) -> tuple[str, ...]:
    asked = inquiry.asked
    centre = asked.centre if isinstance(asked, ListQuestion) else None
    parts = (asked.dataset, asked.view, ",".join(asked.categories), centre or "")
    return (*_bound(inquiry, owner), *parts, inquiry.snapshot.digest)
