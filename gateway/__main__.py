# SPDX-License-Identifier: EUPL-1.2
"""`python -m gateway`: the same as `cuvar`."""

from gateway.cli import main

main()
