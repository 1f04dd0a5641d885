"""Level replay: the hardest tracks stay, are driven again from other weights, and survive a stop."""

from pathlib import Path

import numpy as np
import pytest
from tasks import HERE, small_config
from test_evolution import Stopped, results, stopping

from hebbevo import evolve, resume
from hebbevo.config.training import TrainingConfig
from hebbevo.evaluation.fitness import training_seeds
from hebbevo.evaluation.generation_plan import PLAIN
from hebbevo.training.component_registry import components_of
from hebbevo.training.level_replay import LevelReplay

CAR = (
    "env.name=car_racing",
    "env.steps=20",
    "network.hidden=4",
    "network.encoder={image_size: 24, convolutions: [{channels: 2, kernel: 3, stride: 2, pool: 2}]}",
    "search.population=4",
    "training.lifetime_seeds=pair",
    "evaluation.episodes=1",
)


def settings(share: float, lifetime_seeds: str = "pair", lifetimes: int = 1) -> TrainingConfig:
    return TrainingConfig(
        generations=1, penalty=0, level_replay=share, lifetime_seeds=lifetime_seeds, lifetimes=lifetimes
    )


def drawn(replay: LevelReplay, number: int) -> dict[tuple[int, int], int]:
    return dict(replay.before_generation(number, PLAIN).replayed)


def own_track(number: int, group: int, lifetime: int = 0, run_seed: int = 5) -> int:
    return training_seeds(run_seed, number, [(group, lifetime, 0)])[0] % 2**32


@pytest.mark.parametrize(
    ("lifetime_seeds", "size", "lifetimes"), [("pair", 2, 1), ("individual", 1, 1), ("pair", 2, 3)]
)
def test_the_memory_is_that_of_a_plain_loop(lifetime_seeds: str, size: int, lifetimes: int) -> None:
    replay, generator = LevelReplay(settings(0.3, lifetime_seeds, lifetimes), 20, 5), np.random.default_rng(0)
    groups = 20 // size
    slots = [(group, lifetime) for lifetime in range(lifetimes) for group in range(groups)]
    memory: dict[int, float] = {}
    for number in range(12):
        chosen = drawn(replay, number)
        assert list(chosen) == slots[: min(round(0.3 * len(slots)), len(memory))]
        assert set(chosen.values()) <= set(memory)
        assert len(set(chosen.values())) == len(chosen)
        fitness = generator.normal(size=(20, lifetimes))
        for group, lifetime in slots:
            track = chosen.get((group, lifetime)) or own_track(number, group, lifetime)
            score = sum(fitness[group * size : (group + 1) * size, lifetime]) / size
            memory[track] = (memory[track] + score) / 2 if track in memory else score
        memory = dict(sorted(memory.items(), key=lambda item: item[1])[: 2 * len(slots)])
        replay.record(number, chosen, fitness)
        assert replay.levels.tolist() == list(memory)
        np.testing.assert_allclose(replay.scores, list(memory.values()))


def test_tracks_that_are_hard_come_back_and_those_learnt_go() -> None:
    replay, generator = LevelReplay(settings(0.5), 40, 5), np.random.default_rng(1)

    def lives(number: int, learnt: float) -> list[float]:
        """Return how hard the replayed tracks of a generation are, from 0 to 1, each track at a place of its own."""
        replayed = drawn(replay, number)
        tracks = [*replayed.values(), *(own_track(number, group) for group in range(len(replayed), 20))]
        hardness = np.array([track / 2**32 for track in tracks])
        score = np.where(hardness > learnt, 0.0, 1.0 - hardness)
        replay.record(number, replayed, np.repeat(score, 2)[:, None] + generator.normal(0, 0.1, (40, 1)))
        return hardness[: len(replayed)].tolist()

    for number in range(40):
        before = lives(number, 1.0)
    for number in range(40, 80):
        after = lives(number, 0.5)
    assert np.mean(before) > 0.85  # of all tracks 0.5; the 40 hardest of 400 lie above 0.9
    assert min(after) > 0.5


def test_lifetimes_that_diverged_say_nothing_about_a_track() -> None:
    replay = LevelReplay(settings(0.5), 4, 5)
    replay.record(0, {}, np.array([[1.0], [np.nan], [np.nan], [np.nan]]))
    assert replay.levels.tolist() == [own_track(0, 0)]
    assert replay.scores.tolist() == [1.0]
    replay.record(1, {(0, 0): own_track(0, 0)}, np.array([[np.nan], [np.nan], [4.0], [6.0]]))
    assert dict(zip(replay.levels.tolist(), replay.scores.tolist(), strict=True)) == {
        own_track(0, 0): 1.0,
        own_track(1, 1): 5.0,
    }


def test_without_a_share_nothing_is_kept() -> None:
    assert LevelReplay.of(small_config(env=CAR), None) is None
    assert components_of(small_config(env=CAR)).state() == {}
    assert "level_replay" not in settings(0.0).model_dump(mode="json")
    assert settings(0.5).model_dump(mode="json")["level_replay"] == 0.5


def test_the_state_stands_under_the_name_of_the_component() -> None:
    config = small_config("training.level_replay=0.5", env=CAR)
    components, replay = components_of(config), LevelReplay.of(config, None)
    assert list(components.state()) == ["level_replay.tracks", "level_replay.scores"]
    assert replay is not None
    replay.record(0, {}, np.arange(6.0)[:, None])
    tensors = {f"level_replay.{name}": array for name, array in replay.state().items()}
    rest = components.restore({**tensors, "center": np.zeros(3)})
    assert list(rest) == ["center"]
    assert components.state().keys() == tensors.keys()
    assert all(np.array_equal(array, tensors[name]) for name, array in components.state().items())
    assert components.plan(1).replayed == replay.before_generation(1, PLAIN).replayed != {}


@pytest.mark.parametrize("lifetimes", [1, 2])
def test_a_stopped_run_replays_the_same_tracks(tmp_path: Path, lifetimes: int) -> None:
    config = small_config("training.level_replay=0.5", f"training.lifetimes={lifetimes}", env=CAR)
    straight = evolve(config, tmp_path / "straight", execution=HERE)
    with pytest.raises(Stopped):
        evolve(config, tmp_path / "stopped", execution=HERE, watch=stopping(2))
    resume(tmp_path / "stopped", execution=HERE)
    assert results(tmp_path / "stopped") == results(straight.path)
    other = evolve(small_config(env=CAR), tmp_path / "other", execution=HERE)
    assert not np.array_equal(other.center, straight.center)
