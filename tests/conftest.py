"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# speed is measured in bench/; a deadline would make a test fail because the machine was busy
settings.register_profile("house", deadline=None)
settings.load_profile("house")
