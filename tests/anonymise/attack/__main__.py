# SPDX-License-Identifier: EUPL-1.2
"""Write the measured figures into docs/anonymisation/attacks.md.

Run: `python -m tests.anonymise.attack`. A test compares the page with what the attacks give.
"""

from tests.anonymise.attack.page import PAGE, written

if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
