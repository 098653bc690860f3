"""The host's programs run on Debian 13's Python 3.13; an older one may lack what they use."""

from __future__ import annotations

import tarfile

import pytest

needs_extraction_filters = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"),
    reason="the host's programs need tarfile's extraction filters: Python 3.11.4 or newer",
)
