# SPDX-License-Identifier: EUPL-1.2
"""The key holder: a small separate service that blinds what it does not see, and counts it."""
