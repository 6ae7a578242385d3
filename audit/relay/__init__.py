# SPDX-License-Identifier: EUPL-1.2
"""Several processes, one writer: whoever holds the log's lease leads, the others hand it batches.

A follower's append has the promise of a local one: it returns when the entries are durable, or
fails. docs/formats/relay.md has every byte. The head's compare-and-swap in the store, not this
package, is what keeps a log from forking.
"""

from audit.relay.board import board_for
from audit.relay.shared import SharedJournal

__all__ = ["SharedJournal", "board_for"]
