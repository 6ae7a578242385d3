# SPDX-License-Identifier: EUPL-1.2
"""The verifier: recomputes whole logs from their entries' bytes and names what does not fit.

It runs alone, offline, on a published folder or a database, with the log's public key and if
possible a checkpoint kept from earlier or a trust policy. Nothing stored is taken for granted:
tiles, head, checkpoint and sealed details are all compared with what the entries' bytes say.
Without an older checkpoint and witnesses, a log that the holder of its key wrote anew looks whole.
Only the standard library and `cryptography` are imported. docs/verify.md; architecture: any edit,
drop, reorder, truncation or fork is found.
"""

from audit.verify.ahead import Lookahead
from audit.verify.checking import Job, verify_log, verify_logs
from audit.verify.report import Fault, Finding, Report

__all__ = ["Fault", "Finding", "Job", "Lookahead", "Report", "verify_log", "verify_logs"]
