"""What the stand-ins hold when they start: `demo`, a believable firm, or `starter`, empty places to fill.

Everything is made through the services' own APIs, as people would, with the clock in the past, so that
histories, authors and dates are real.
"""

from __future__ import annotations

from syncd.sandbox.seeds.demo import seed_demo
from syncd.sandbox.seeds.generate import generate
from syncd.sandbox.seeds.people import seed_people, share_people
from syncd.sandbox.seeds.starter import seed_starter

__all__ = ["generate", "seed_demo", "seed_people", "seed_starter", "share_people"]
