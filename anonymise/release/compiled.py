# SPDX-License-Identifier: EUPL-1.2
"""Compilation of the inner loops, by numba, on first use.

Modules that hold such loops are imported only inside the functions that need them, so that neither
numba nor LLVM is on anybody's start-up path. Machine code is kept in a folder that is named after
the digest of all the loops: numba itself looks at a function's own file only, and would go on
running a loop whose callee has changed. The folder lies beside the loops, or in the user's cache
folder; where neither can be written, every process compiles anew. Never in a folder that others may
write to, since what lies there is run.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from anonymise.errors import ReleaseExtraError

Loop = TypeVar("Loop", bound=Callable[..., object])

LOOPS = Path(__file__).parent / "loops"


def compiled(loop: Loop) -> Loop:
    """Compile a function over arrays and numbers.

    Raises:
        ReleaseExtraError: numba is not installed.
    """
    return cast("Loop", _jit({})(loop))


def inner(loop: Loop) -> Loop:
    """Compile a function that only compiled ones call; cheaper to compile.

    Raises:
        ReleaseExtraError: numba is not installed.
    """
    return cast("Loop", _jit({"no_cpython_wrapper": True, "no_cfunc_wrapper": True})(loop))


def _jit(options: dict[str, bool]) -> Callable[[Any], Any]:
    try:
        import numba
    except ImportError as error:
        raise ReleaseExtraError(
            "recoding needs numba; install it with `pip install 'cuvar[release]'`"
        ) from error
    place = _place(sources_digest())
    config: Any = numba.config
    njit: Any = numba.njit

    def decorate(loop: Any) -> Any:
        others, config.CACHE_DIR = config.CACHE_DIR, str(place or "")  # read once, by njit
        try:
            return njit(cache=place is not None, nogil=True, error_model="numpy", **options)(loop)
        finally:
            config.CACHE_DIR = others

    return decorate


@cache
def sources_digest() -> str:
    """Digest of everything that the machine code depends on, apart from numba and the processor."""
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted(LOOPS.glob("*.py"))]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def _place(digest: str) -> Path | None:
    """A folder of our own for machine code; None where there is none to write to."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    for folder in (LOOPS / "__pycache__", Path(home) / "cuvar"):
        place = folder / f"loops-{digest}"
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK) and place.stat().st_uid == os.geteuid():
            return place
    return None
