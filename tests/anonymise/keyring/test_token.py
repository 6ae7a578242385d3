# SPDX-License-Identifier: EUPL-1.2
"""What only a token has: keys that can't leave, a PIN, objects of others, a session that ends."""

import subprocess
import sys
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass

from anonymise.errors import KeyringError, KeysetMissingError, TokenRefusedError
from anonymise.keyring import create_token, open_token
from anonymise.keyring.root import RootState
from tests.anonymise.backends import TokenBackend
from tests.servers import softhsm

AID = ("UNHCR", "humanitarian_assistance", "2026q4")
ROOT = "cuvar root BA 1 since 0000q1"


@pytest.fixture
def place():
    return TokenBackend()


@pytest.fixture
def keyring(place):
    made = place.create(["BA"])
    yield made
    made.close()


def session_of(keyring):
    return keyring._vault._token._session


def find(keyring, label, kind=ObjectClass.SECRET_KEY):
    wanted = {Attribute.CLASS: kind, Attribute.LABEL: label}
    return list(session_of(keyring).get_objects(wanted))


def bring(keyring, label, **more):
    """Put a key into the token that it did not draw itself."""
    template = {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
        Attribute.LABEL: label,
        Attribute.VALUE: bytes(32),
        Attribute.TOKEN: True,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.SIGN: True,
    }
    session_of(keyring).create_object({**template, **more.get("change", {})})


@pytest.mark.parametrize("label", [ROOT, "cuvar service"])
def test_a_root_was_drawn_in_the_token_and_can_never_leave_it(keyring, label):
    [key] = find(keyring, label)
    for attribute in (Attribute.LOCAL, Attribute.NEVER_EXTRACTABLE, Attribute.ALWAYS_SENSITIVE):
        assert key[attribute] is True
    with pytest.raises(pkcs11.AttributeSensitive):
        key[Attribute.VALUE]
    for attribute in (Attribute.EXTRACTABLE, Attribute.DERIVE, Attribute.WRAP, Attribute.ENCRYPT):
        assert key[attribute] is False
    with pytest.raises(pkcs11.PKCS11Error):
        key[Attribute.EXTRACTABLE] = True


@pytest.mark.parametrize("change", [{Attribute.EXTRACTABLE: True}, {Attribute.SENSITIVE: False}])
def test_a_root_that_can_leave_is_not_used(place, keyring, change):
    bring(keyring, "cuvar root RS 1 since 0000q1", change=change)
    with pytest.raises(TokenRefusedError, match="can leave the token"):
        place.open()


def test_keys_of_others_in_the_token_are_left_alone(place, keyring):
    bring(keyring, "somebody else's", change={Attribute.EXTRACTABLE: True})
    assert place.open().countries == {"BA"}
    assert len(find(keyring, "somebody else's")) == 1


def test_two_roots_of_one_version_are_refused(place, keyring):
    bring(keyring, "cuvar root BA 1 since 2026q1")
    with pytest.raises(TokenRefusedError, match="two root keys"):
        place.open()


def test_a_gap_between_roots_is_refused(place, keyring):
    bring(keyring, "cuvar root BA 3 since 2027q1")
    with pytest.raises(TokenRefusedError, match="contradict"):
        place.open()


def test_a_destruction_that_was_cut_off_left_the_root_whole_and_is_done_again(place, keyring):
    keyring.rotate("BA", "2027q1")
    # As after the first of its two steps: that there was a root is remembered, and it is there.
    session_of(keyring).create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.LABEL: ROOT,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.VALUE: b"destroyed",
        }
    )
    again = place.open()
    assert again.register["BA"][0].state is RootState.RETIRED
    again.destroy("BA", 1, "2027q2")
    assert place.open().register["BA"][0].state is RootState.DESTROYED
    assert not find(again, ROOT)


def test_a_creation_that_was_cut_off_is_finished_with_the_roots_it_made(place, keyring):
    [service] = find(keyring, "cuvar service")
    service.destroy()
    check = keyring.check(keyring.register["BA"][0])
    with pytest.raises(KeysetMissingError):
        place.open()
    finished = place.create(["BA", "RS"])
    assert finished.countries == {"BA", "RS"}
    assert finished.check(finished.register["BA"][0]) == check


def test_custodians_left_double_by_a_change_that_was_cut_off_are_the_later_ones(place, keyring):
    keyring.appoint({"BA-DPA/ana": "1"})
    session_of(keyring).create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.LABEL: "cuvar custodians",
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.VALUE: b'{"number": 2, "custodians": {"BA-AS/boris": "2"}}',
        }
    )
    assert dict(place.open().custodians) == {"BA-AS/boris": "2"}
    keyring.appoint({"RS-DPA/vera": "3"})
    assert dict(place.open().custodians) == {"RS-DPA/vera": "3"}
    assert len(find(keyring, "cuvar custodians", ObjectClass.DATA)) == 1


def test_a_session_that_was_lost_is_opened_again(keyring):
    domain = keyring.domain("BA", *AID)
    before = keyring.domain_cipher(domain).pseudonym(bytes(16))
    keyring._ciphers.clear()
    session_of(keyring).close()
    assert keyring.domain_cipher(domain).pseudonym(bytes(16)) == before


def test_a_root_that_somebody_removed_is_told_and_makes_no_other_pseudonyms(keyring):
    [key] = find(keyring, ROOT)
    key.destroy()
    with pytest.raises(KeyringError):
        keyring.domain_cipher(keyring.domain("BA", *AID))


def test_no_token_and_no_module_are_told_with_the_setting_to_check(place):
    with pytest.raises(KeysetMissingError, match=r"no token nowhere.*\[keys\.token\]"):
        open_token(softhsm.module(), "nowhere", softhsm.PIN)
    with pytest.raises(KeysetMissingError, match="no PKCS#11 module"):
        open_token(Path("/nowhere/libnothing.so"), place.label, softhsm.PIN)
    with pytest.raises(KeysetMissingError, match="no PKCS#11 module"):
        create_token(Path(__file__), place.label, softhsm.PIN, ["BA"])


def test_without_the_optional_part_the_error_names_it():
    code = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from pathlib import Path\n"
        "from anonymise import KeyringError\n"
        "from anonymise.keyring import open_token\n"
        "try:\n    open_token(Path('x'), 'y', 'z')\n"
        "except KeyringError as error:\n    print(error)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert "pip install 'cuvar[hsm]'" in done.stdout


def test_a_gateway_without_a_token_does_not_import_pkcs11():
    code = "import sys, gateway.opening, gateway.ceremonies\nprint('pkcs11' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
