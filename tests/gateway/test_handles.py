# SPDX-License-Identifier: EUPL-1.2
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.handles import HandleError, Handles, handle_digest

HANDLES = Handles(bytes(range(32)))
BOUND = ("issuer", "officer")


@given(st.text(max_size=40))
def test_a_handle_comes_back_for_its_own_kind_and_binding_only(text):
    handle = HANDLES.seal("hit", BOUND, {"p": text})
    assert HANDLES.open("hit", BOUND, handle) == {"p": text}
    for kind, bound in (("page", BOUND), ("hit", ("issuer", "other")), ("hit", ("issuer",))):
        with pytest.raises(HandleError):
            HANDLES.open(kind, bound, handle)


@given(st.text(max_size=12))
def test_no_other_spelling_of_a_handle_is_taken(text):
    handle = HANDLES.seal("hit", BOUND, {"p": text})
    raw = base64.urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        other = handle[:-1] + last
        if other != handle:
            with pytest.raises(HandleError):
                HANDLES.open("hit", BOUND, other)
    for other in (handle + "=", handle + "\n", " " + handle):
        with pytest.raises(HandleError):
            HANDLES.open("hit", BOUND, other)
    assert handle_digest(handle) == handle_digest(
        base64.urlsafe_b64encode(raw).decode().rstrip("=")
    )
