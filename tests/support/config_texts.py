"""Configs written as a user writes them, and what refuses them."""

from pathlib import Path

import pytest

from hebbevo import InputError, load_config
from hebbevo.errors import EnvError, RuleError, SearchError

INPUT_ERRORS = (InputError, RuleError, EnvError, SearchError)
QUICK = "quick-quadruped"


def written(text: str, name: str = "mine.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def refused(source: str, *overrides: str) -> str:
    with pytest.raises(INPUT_ERRORS) as caught:
        load_config(source, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message
