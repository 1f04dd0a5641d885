"""A lifetime in a window: what is shown, and one line where there is no display. The window itself is a stand-in."""

import contextlib
import re
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tasks import HERE, cart_pole_task, quadruped_task
from worlds import WALKER

from hebbevo import Genome, InputError, evaluate, load_config
from hebbevo.cli.app import run
from hebbevo.envs.physics import mujoco
from hebbevo.rendering import viewer
from hebbevo.rendering.viewer import view
from hebbevo.tasks.task import Task


class Window:
    """Takes the place of MuJoCo's, and is closed after `patience` pictures."""

    opened: list["Window"] = []  # noqa: RUF012
    patience = 10**6

    def __init__(self, model: Any, data: Any, **_: Any) -> None:
        self.model, self.data, self.cam, self.closed = model, data, mujoco.MjvCamera(), False
        self.poses: list[np.ndarray] = []
        self.opened.append(self)

    def is_running(self) -> bool:
        return len(self.poses) < self.patience

    def lock(self) -> Any:
        return contextlib.nullcontext()

    def sync(self) -> None:
        self.poses.append(self.data.qpos.copy())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> type[Window]:
    monkeypatch.setattr(viewer, "check_display", lambda: None)
    monkeypatch.setitem(sys.modules, "mujoco.viewer", SimpleNamespace(launch_passive=Window))  # type: ignore[arg-type]
    monkeypatch.setattr(Window, "opened", [])
    return Window


def genome() -> Genome:
    task = quadruped_task()
    return Genome(task, task.first_genome(np.random.default_rng(3)), name="first")


def test_the_lifetime_is_the_first_of_evaluate_step_by_step(window: type[Window]) -> None:
    result = view(genome(), seed=4, speed=100)
    expected = evaluate(genome(), episodes=1, seed=4, morphologies=["intact"], controls=False, execution=HERE)
    assert result is not None
    assert result.fitness[0] == expected.lifetimes["intact"]["genome"].fitness[0]
    (shown,) = window.opened
    assert len(shown.poses) == 40
    assert shown.closed
    walked = shown.poses[-1][0] - shown.poses[0][0]
    assert walked == pytest.approx(result.fitness[0], abs=0.05)
    assert shown.cam.lookat[0] == shown.poses[-1][0]


def test_a_robot_of_a_file_is_shown_whole_even_where_all_of_it_is_hidden(window: type[Window]) -> None:
    hidden = WALKER.replace("<geom type", "<geom group='4' type")
    hidden = hidden.replace('name="shin"', 'name="shin" group="3"')
    settings = {"env.name": "mjcf", "env.mjcf": hidden, "env.steps": 3, "network.hidden": [4]}
    task = Task.of(load_config("quick-quadruped", settings))
    view(Genome(task, task.first_genome(np.random.default_rng(3))), speed=100)
    (shown,) = window.opened
    assert shown.model.geom_group.tolist() == [0, 0, 0]
    assert shown.cam.lookat[2] == pytest.approx(0.39, abs=0.03), "the middle between foot and back"
    assert task.env.compile("intact").geom_group.tolist() == [0, 4, 3]


def test_a_body_that_is_switched_comes_in_a_window_of_its_own(window: type[Window]) -> None:
    view(genome(), perturb="switch_morphology:at=10,morphology=left_front_amputated", speed=100)
    assert [(len(one.poses), one.closed) for one in window.opened] == [(10, True), (30, True)]


def test_a_closed_window_ends_the_lifetime(window: type[Window], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "patience", 5)
    assert view(genome(), speed=100) is None
    assert window.opened[0].closed


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for DISPLAY")
def test_without_a_display_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert run(["view", "zoo:quick-quadruped-static"]) == 2
    assert "there is no display (DISPLAY is not set); hebbevo render makes a video" in capsys.readouterr().err
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr(viewer, "works", lambda name: False)
    with pytest.raises(InputError, match="no OpenGL works on this display"):
        view(genome())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"speed": 0.0}, "speed must be from 0.01 to 100, got 0"),
        ({"seed": -1}, "seed"),
        ({"morphology": "x"}, "'x'"),
    ],
)
def test_what_cannot_be_shown_is_refused(window: type[Window], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        view(genome(), **options)
    task = cart_pole_task()
    with pytest.raises(InputError, match="has no body of MuJoCo to show"):
        view(Genome(task, np.zeros(task.layout.size, np.float32), name="pole"))
    assert not window.opened
