"""Fixtures that the tests of sources share."""

from collections.abc import Iterator

import pytest

from tests.doubles.nvml import Nvml, installed


@pytest.fixture
def nvml() -> Iterator[Nvml]:
    """The double of NVML's C library, under the real pynvml."""
    with installed(Nvml()) as library:
        yield library
