"""What the sandbox shows to a person: boards, lists, tables and pages under `/ui/`."""

from __future__ import annotations

from syncd.sandbox.face.app import Face

__all__ = ["Face"]
