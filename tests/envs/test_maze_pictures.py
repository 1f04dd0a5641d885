"""Pictures of mazes show where the walker is, and where the reward lies."""

import numpy as np
import pytest
from PIL import ImageColor

from hebbevo import Genome, load_config, render
from hebbevo.envs import config_class
from hebbevo.envs.cognitive.pictures import FREE, REWARD, WALKER
from hebbevo.tasks.task import Task

ROW = np.zeros(1, np.int64)


def middle(picture: np.ndarray, color: str) -> np.ndarray:
    """Return x and y of the middle of all pixels of a color, to a few pixels."""
    few = picture[::6, ::6]
    return 6 * np.argwhere((few == ImageColor.getrgb(color)).all(axis=2)).mean(axis=0)[::-1]


def test_a_picture_of_a_maze_shows_walker_and_reward_in_their_cells() -> None:
    batch, draw = config_class("maze")(size=7).build(1, render_mode="rgb_array"), np.random.default_rng(0)
    batch.reset([1], ["default"])
    cells = batch.free_cells[:, ::-1]
    width, visited = 480 // 7, set()
    for _ in range(30):
        picture, at = batch.picture(0), int(batch.cell[0])
        visited.add(at)
        expected = width * (cells[at] - (3, 3))  # from the middle of the picture
        assert middle(picture, WALKER) - (400, 270) == pytest.approx(expected, abs=6)
        if batch.goal[0] != at:
            expected = width * (cells[batch.goal[0]] - (3, 3))
            assert middle(picture, REWARD) - (400, 270) == pytest.approx(expected, abs=6)
        batch.step(np.eye(4, dtype=np.float32)[[draw.integers(4)]], ROW)
    assert len(visited) > 3


@pytest.mark.parametrize("settings", [{}, {"double": True, "homing": True}, {"passage": 0, "homing": True}])
def test_a_walker_in_a_t_maze_stands_on_the_reward_at_the_high_end(settings: dict[str, object]) -> None:
    config = config_class("t_maze")(**settings, trips=5, switches=2)
    batch, draw, seen = config.build(1), np.random.default_rng(2), []
    batch.reset([3], ["default"])
    home = middle(batch.picture(0), WALKER)
    for _ in range(config.steps):
        at_home, at_turn, at_end, shown = batch.observations[0]
        picture = batch.picture(0)
        walker, reward = middle(picture, WALKER), middle(picture, REWARD)
        assert (np.abs(walker - home).max() < 8) == bool(at_home)
        if at_end:
            seen.append(shown)
            assert (np.abs(walker - reward).max() < 10) == (shown == np.float32(config.high))
        turn = draw.choice([-1, 1]) if at_turn else 0
        batch.step(np.float32([[turn]]), ROW)
        if batch.terminated[0]:
            break
    assert len(set(seen)) == 2
    assert (picture == ImageColor.getrgb(FREE)).all(axis=2).any()


def test_a_lifetime_in_a_t_maze_becomes_a_video() -> None:
    overrides = ["env.name=t_maze", "env.passage=1", "network.actions=argmax", "env.steps=6"]
    task = Task.of(load_config("quick-association", [*overrides, "plasticity.rule=none"]))
    genome = Genome(task, task.first_genome(np.random.default_rng(1)), {}, "walker")
    recording = render(genome, "t.mp4")
    assert recording.frames == 12
