"""Properties are searched the same way every time, so that a red run is about the change at hand.

`SYNCD_SEARCH=1 ./dev test` draws new examples at random instead; do that often.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("search", print_blob=True)
settings.load_profile("search" if os.environ.get("SYNCD_SEARCH") else "steady")
