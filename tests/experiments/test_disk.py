"""An experiment on a disk that fills is told in a line and gone on with; what its evaluation files hold."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from disks import fill, small_disk
from test_experiment import FILE, contents

from hebbevo.cli.app import run as cli
from hebbevo.experiments.evaluation_file import _columns, _fitness
from hebbevo.rollouts.result import WORST_FITNESS, RolloutResult


@pytest.mark.slow
def test_an_experiment_on_a_disk_that_fills_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("e.yaml").write_text(yaml.safe_dump({**FILE, "seeds": 1}))
    words = ["experiment", "e.yaml", "--threads=1", "--jobs=1", "--out"]
    assert cli([*words, "straight"]) == 0
    room = sum(map(len, contents(Path("straight")).values()))
    with small_disk(Path("disk"), "20m") as disk:
        for free in (0, room // 8, room // 4, room // 2):
            ballast = fill(disk, free)
            capsys.readouterr()
            assert cli([*words, "disk/e"]) == 1
            error = capsys.readouterr().err
            assert "make room" in error
            assert "Traceback" not in error
            assert not list(disk.rglob("*.tmp"))
            ballast.unlink()
        assert cli([*words, "disk/e"]) == 0
        assert contents(disk / "e") == contents(Path("straight"))


def test_a_diverged_lifetime_has_no_fitness_in_the_file() -> None:
    lifetimes = RolloutResult(np.array([1.5, WORST_FITNESS]), np.array([9, 2]), np.array([False, True]))
    columns = _columns(lifetimes)
    assert columns["fitness"] == [1.5, None]
    np.testing.assert_array_equal(_fitness(columns), [1.5, np.nan])
