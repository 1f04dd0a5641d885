"""Keep the kernels that tests compile beside pytest's own cache, out of the user's."""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("HEBBEVO_CACHE", str(config.rootpath / ".pytest_cache" / "hebbevo"))
