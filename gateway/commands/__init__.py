# SPDX-License-Identifier: EUPL-1.2
"""The commands of `cuvar`, one module each; gateway/cli.py joins them."""
