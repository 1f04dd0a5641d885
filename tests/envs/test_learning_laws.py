"""Laws and published figures of the learning tasks, by learners and walkers that play whole lifetimes."""

import numpy as np
import pytest

from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.envs.cognitive.boolean import FUNCTIONS, HELD_OUT, SPLITS
from hebbevo.envs.cognitive.learning_task import LearningTaskConfig

LIFETIMES = 1000
LEARNING_TASKS = [name for name in ENVIRONMENTS if issubclass(config_class(name), LearningTaskConfig)]


def play(config, policy, task="default"):
    """Rewards of whole lifetimes, ``(lifetimes,)``; the policy sees the batch before each step."""
    batch, total = config.build(LIFETIMES), np.zeros(LIFETIMES)
    batch.reset(range(LIFETIMES), [task] * LIFETIMES)
    active = np.arange(LIFETIMES)
    for _ in range(config.steps):
        batch.step(policy(batch).astype(np.float32), active)
        total[active] += batch.rewards[active]
        active = active[~batch.terminated[active]]
    assert not len(active)
    return total


def close_to(expected, totals, tolerance=0.0):
    """Whether a mean agrees with what is expected within 4 standard errors, and what is known of the expectation."""
    return pytest.approx(expected, abs=4 * totals.std() / LIFETIMES**0.5 + tolerance) == totals.mean()


def moves(choices, count):
    return np.eye(count)[choices]


@pytest.mark.parametrize(
    ("size", "cells", "chance", "oracle"), [(9, 41, 14.7, 418), (11, 65, 7.7, 321), (13, 97, 5.2, 271)]
)
def test_mazes_have_their_known_figures(size, cells, chance, oracle):
    config, draw = config_class("maze")(size=size), np.random.default_rng(0)
    batch = config.build(1)
    assert len(batch.free_cells) == cells
    # as computed before, by simulation: means with an error of 0.3 to 0.5, and 3 to 5
    assert config.chance == pytest.approx(chance, abs=0.5)
    assert config.oracle == pytest.approx(oracle, abs=5)
    random = play(config, lambda batch: moves(draw.integers(0, 4, LIFETIMES), 4))
    assert close_to(config.chance, random)

    def shortest(batch):
        grid, rows = batch._grid, np.arange(LIFETIMES)
        ahead = grid.distances[grid.neighbours[batch.cell], batch.goal[:, None]]
        return moves(ahead[rows].argmin(axis=1), 4)

    assert close_to(config.oracle, play(config, shortest))


def test_the_walk_round_a_maze_follows_from_what_is_seen():
    config = config_class("maze")(size=9)

    def ring(batch):
        wall = batch.observations.reshape(LIFETIMES, 3, 3) == 1
        top, bottom = wall[:, 0].all(axis=1), wall[:, 2].all(axis=1)
        left, right = wall[:, :, 0].all(axis=1), wall[:, :, 2].all(axis=1)
        move = np.where(wall[:, 0, 1], 3, 0)
        for border, corner, along in ((left, top, 0), (bottom, left, 2), (right, bottom, 1), (top, right, 3)):
            move = np.where(border & ~corner, along, move)
        return moves(move, 4)

    assert close_to(config.reactive, play(config, ring))


def steered(batch, end):
    """Go straight on in corridors, and to an end at the turns."""
    double = batch._config.double
    passed = batch._positions[: batch._position.max()]
    turn = (passed == 2).sum()
    bit = end >> (1 - turn if double else 0) & 1
    return np.where(batch.observations[:, 1:2] == 1, np.where(bit == 1, 1.0, -1.0)[:, None], 0.0)


@pytest.mark.parametrize("double", [False, True])
def test_t_mazes_have_their_known_figures(double):
    config = config_class("t_maze")(passage=0, double=double)
    assert config.reactive == config.chance == pytest.approx(80 if double else 60)
    fixed = play(config, lambda batch: steered(batch, np.zeros(LIFETIMES, int)))
    assert close_to(config.chance, fixed, 1e-9)
    end = np.random.default_rng(0).integers(0, config.ends, LIFETIMES)

    def learner(batch):
        """Stay with a high end; after a miss try the others in turn."""
        nonlocal end
        end = np.where(batch.optimal == 0, (end + 1) % config.ends, end)
        return steered(batch, end)

    totals = play(config, learner)
    best, worst = (200 - 0.8 * 3, 200 - 0.8 * 12) if double else (99.2, 98.4)
    assert totals.min() >= worst - 1e-9
    assert totals.max() <= best + 1e-9
    assert close_to(config.oracle, totals, 1e-9)


def test_a_walker_who_crashes_pays_for_it():
    config = config_class("t_maze")(trips=5, passage=1, homing=True)
    assert play(config, lambda batch: np.ones((LIFETIMES, 1))) == pytest.approx(-0.4 * 5)
    wrong_way_back = play(config, lambda batch: np.where(batch.observations[:, 1:2] == 1, 1.0, 0.0))
    assert set(np.round(wrong_way_back, 9)) <= set(
        np.round([5 * (i / 5 * 0.7 + (1 - i / 5) * -0.1) for i in range(6)], 9)
    )


def test_constant_answers_to_functions_of_two_bits_score_as_their_tables_say():
    for name, table in FUNCTIONS.items():
        config = config_class("boolean")(tasks=(name,))
        assert config.reactive / config.trials == (0.5 if sum(table) in (1, 3) else 0.0)
    assert len(SPLITS["train"]) == 12
    assert set(HELD_OUT) == {"dms", "dnms"}
    config = config_class("boolean")(tasks=("nand",))
    ones = play(config, lambda batch: moves(np.ones(LIFETIMES, int), 2), "nand")
    assert close_to(config.reactive, ones)
    for split in SPLITS:
        config = config_class("boolean")(tasks=(split,))
        assert config.reactive == config.chance == 0
        assert close_to(0, play(config, lambda batch: moves(np.ones(LIFETIMES, int), 2), split))


def test_a_memory_of_pairs_is_the_oracle_of_functions():
    config, rows, heard = config_class("boolean")(), np.arange(LIFETIMES), [None, None]
    answers = np.zeros((LIFETIMES, 4), int)

    def policy(batch):
        part, seen = batch._step[0] % 4, batch.observations
        if part < 2:
            heard[part] = seen[:, 0] > 0
        pair = 2 * heard[0] + heard[-1] if part >= 2 else np.zeros(LIFETIMES, int)
        if part == 3:  # the response given, and whether it was right
            given = seen[:, 4] == 1
            answers[rows, pair] = np.where(seen[:, 5] > 0, given, ~given)
        return moves(answers[rows, pair], 2)

    assert close_to(config.oracle, play(config, policy, "train"))


def test_a_memory_of_foods_retains_and_one_wiped_each_season_does_not():
    config = config_class("seasons")()

    def score(wiped):
        poison, days = np.zeros((LIFETIMES, 8), int), {}
        batch, rows = config.build(LIFETIMES), np.arange(LIFETIMES)
        batch.reset(range(LIFETIMES), ["default"] * LIFETIMES)
        for step in range(config.steps):
            food = batch.observations[:, :8].argmax(axis=1)
            if step % 2:  # shown again, with what it would have been to eat
                poison[rows, food] = batch.observations[:, 9]
                batch.step(np.zeros((LIFETIMES, 2), np.float32), rows)
                continue
            if wiped and step % 40 == 0:
                poison[:] = 0
            batch.step(moves(1 - poison[rows, food], 2).astype(np.float32), rows)
            days.setdefault((int(batch.phase[0]), int(batch.trial[0]) % 5), []).append(batch.optimal.mean())
        return {day: np.mean(right) for day, right in days.items()}

    kept, wiped = score(False), score(True)
    for season in range(6):
        assert kept[season, 4] == wiped[season, 4] == 1  # learning
        assert wiped[season, 0] == pytest.approx(0.5, abs=0.03)
        assert kept[season, 0] == pytest.approx(0.5 if season < 2 else 1, abs=0.03)  # retention
    assert config.oracle == pytest.approx(240 / 2 - 2 * 2 * (4 - 17 / 6))


def test_one_guess_is_all_that_an_ideal_learner_of_objects_needs():
    config, known = config_class("harlow")(), {}

    def policy(batch):
        sides = np.split(batch.observations > 0, 2, axis=1)
        codes = np.stack([side @ (1 << np.arange(config.features)) for side in sides], axis=1)
        if known:
            rows, side = np.arange(LIFETIMES), known["side"]
            picked, other = known["codes"][rows, side], known["codes"][rows, 1 - side]
            known["right"] = np.where(batch.rewards > 0, picked, other)
        known["side"] = (codes[:, 1] == known.get("right", -1)).astype(int)
        known["codes"] = codes
        return moves(known["side"], 2)

    assert close_to(config.oracle, play(config, policy))


def test_an_arm_that_is_known_pays_what_the_oracle_says():
    for schedule, arms in (("dependent", 2), ("independent", 4), ("reversing", 3), ("drifting", 3)):
        config = config_class("bandit")(schedule=schedule, arms=arms)

        def informed(batch):
            now = batch.probabilities[np.arange(LIFETIMES), batch._step]
            return moves(now.argmax(axis=1), batch.action_size)

        assert close_to(config.oracle, play(config, informed))
        assert close_to(
            config.chance, play(config, lambda batch: moves(np.ones(LIFETIMES, int), batch.action_size))
        )


@pytest.mark.parametrize(("schedule", "oracle"), [("wang", 74), ("daw", 0.61 * 201)])
def test_the_better_state_pays_what_the_oracle_says(schedule, oracle):
    config = config_class("two_step")(schedule=schedule)
    assert config.oracle == pytest.approx(oracle)
    rows = np.arange(LIFETIMES)

    def informed(batch):
        arms = batch.probabilities[rows, batch._step // 2].reshape(LIFETIMES, 2, 2)
        second = arms[rows, np.maximum(batch.state - 1, 0)].argmax(axis=1)
        return moves(np.where(batch.state == 0, arms.max(axis=2).argmax(axis=1), second), 2)

    assert close_to(config.oracle, play(config, informed))
    assert close_to(config.chance, play(config, lambda batch: moves(np.ones(LIFETIMES, int), 2)))


@pytest.mark.parametrize("name", LEARNING_TASKS)
def test_who_guesses_makes_as_many_best_choices_as_stated(name):
    config = config_class(name)(**({"passage": 0} if name == "t_maze" else {}))
    batch, draw, rows = config.build(LIFETIMES), np.random.default_rng(5), np.arange(LIFETIMES)
    batch.reset(range(LIFETIMES), config.morphology_names * LIFETIMES)
    best, asked = np.zeros(LIFETIMES), np.zeros(LIFETIMES)
    for _ in range(config.steps):
        actions = draw.uniform(-1, 1, (LIFETIMES, config.action_size)).astype(np.float32)
        if name == "t_maze":  # crashes nowhere
            actions = np.where(batch.observations[:, 1:2] > 0, np.sign(actions), 0)
        batch.step(actions, rows)
        best += batch.optimal == 1
        asked += batch.optimal >= 0
        rows = rows[~batch.terminated[rows]]
        batch.optimal[batch.terminated] = -1
    shares = best[asked > 0] / asked[asked > 0]
    assert shares.mean() == pytest.approx(config.guess, abs=4 * shares.std() / LIFETIMES**0.5)
