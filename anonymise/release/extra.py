# SPDX-License-Identifier: EUPL-1.2
"""The packages of the extra `release`, asked for when a table is read and not before.

A gateway that never makes a release needs none of them; docs/dependencies.md says what each does.
"""

from importlib.util import find_spec

from anonymise.errors import ReleaseExtraError


def need_polars() -> None:
    """Say what to install when polars is missing.

    Raises:
        ReleaseExtraError: It is.
    """
    if find_spec("polars") is None:
        raise ReleaseExtraError(
            "tables are read with polars; install it with `pip install 'cuvar[release]'`"
        )
