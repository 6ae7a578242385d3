# SPDX-License-Identifier: EUPL-1.2
"""Compilation of the inner loops, by numba, on first use.

Modules that hold such loops are imported only inside the functions that need them, so that neither
numba nor LLVM is on anybody's start-up path. Machine code is kept beside the module, or in the
user's cache folder where that cannot be written.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from anonymise.errors import ReleaseExtraError

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a function over arrays and numbers.

    Raises:
        ReleaseExtraError: numba is not installed.
    """
    try:
        from numba import njit
    except ImportError as error:
        raise ReleaseExtraError(
            "recoding needs numba; install it with `pip install 'cuvar[release]'`"
        ) from error
    return cast("Loop", njit(cache=True, nogil=True, error_model="numpy")(loop))
