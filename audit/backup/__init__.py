# SPDX-License-Identifier: EUPL-1.2
"""Backup copies of logs (docs/formats/backup.md): keep, check, erase in, restore.

Of one moment though a gateway writes on, read back before they count, restored only into an empty
place and only closed. What surrounds the logs of a gateway is kept by `gateway.backup`.
"""

from audit.backup.checking import Checked, Said, check_log
from audit.backup.keeping import KeptLog, erase_details, keep_logs, read_entries
from audit.backup.restoring import restore_logs
from audit.backup.snapshot import open_snapshot

__all__ = [
    "Checked",
    "KeptLog",
    "Said",
    "check_log",
    "erase_details",
    "keep_logs",
    "open_snapshot",
    "read_entries",
    "restore_logs",
]
