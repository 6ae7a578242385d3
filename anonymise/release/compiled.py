# SPDX-License-Identifier: EUPL-1.2
"""Compilation of the inner loops, by numba, on first use.

Modules that hold such loops are imported only inside the functions that need them, so that neither
numba nor LLVM is on anybody's start-up path. Machine code is kept beside the module, or in the
user's cache folder where that cannot be written.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from anonymise.errors import ReleaseExtraError

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a function over arrays and numbers.

    Raises:
        ReleaseExtraError: numba is not installed.
    """
    return cast("Loop", _njit()(cache=True, nogil=True, error_model="numpy")(loop))


def inner(loop: Loop) -> Loop:
    """Compile a function that only compiled ones call; cheaper to compile.

    Raises:
        ReleaseExtraError: numba is not installed.
    """
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Loop", _njit()(cache=True, nogil=True, error_model="numpy", **options)(loop))


def _njit() -> Any:
    try:
        from numba import njit
    except ImportError as error:
        raise ReleaseExtraError(
            "recoding needs numba; install it with `pip install 'cuvar[release]'`"
        ) from error
    return njit
