"""`hebbevo config`: a configuration as resolved."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hebbevo.cli.options import Overrides


def config_command(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE.yaml", help="The configuration to resolve.")],
    overrides: Overrides = None,
) -> None:
    """Print a configuration as resolved."""
    from hebbevo.config.loading import load_config

    sys.stdout.write(load_config(source, overrides or ()).to_yaml())
