"""What a script or a notebook calls: names in place of configs and paths, fitness of arrays, short reprs, pickles."""

import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hebbevo
from hebbevo.errors import InputError

SETTINGS = {
    "env.steps": 20,
    "env.morphologies": ["intact"],
    "network.hidden": [4],
    "search.population": 4,
    "training.generations": 1,
    "training.penalty": 0,
    "evaluation.episodes": 2,
}
HERE = hebbevo.Execution(threads=1, batch_size=4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> hebbevo.Run:
    out = tmp_path_factory.mktemp("python") / "a"
    return hebbevo.evolve("quick-quadruped", out, overrides=SETTINGS, execution=HERE)


def test_a_name_stands_for_a_config_and_names_the_directory(run: hebbevo.Run) -> None:
    Path("small.yaml").write_text("preset: quick-quadruped\n", encoding="utf-8")
    again = hebbevo.evolve("small.yaml", overrides=SETTINGS, execution=HERE)
    assert again.path == Path("runs/small")
    for name in ("config.yaml", "progress.csv", "center.safetensors"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    with pytest.raises(InputError, match="without a name needs a directory; give out"):
        hebbevo.evolve(run.config)
    with pytest.raises(InputError, match="takes no overrides; give them to load_config"):
        hebbevo.evolve(run.config, "b", overrides=SETTINGS)


def test_a_run_stands_for_its_directory_and_its_genome(run: hebbevo.Run) -> None:
    evaluation = hebbevo.evaluate(run, episodes=2, controls=False, execution=HERE)
    same = hebbevo.evaluate(hebbevo.load_genome(run.path), episodes=2, controls=False, execution=HERE)
    assert evaluation.summary() == same.summary()
    (part,) = evaluation.summary(lifetimes=True)["morphologies"].values()
    assert part["mean"] == np.mean(part["values"])
    assert part["steps"] == [20, 20]
    assert hebbevo.resume(run, execution=HERE).already_finished
    assert hebbevo.plot(run) == [run.path / "figures" / "learning_curve.png"]


def test_show_says_what_it_is(run: hebbevo.Run, capsys: pytest.CaptureFixture[str]) -> None:
    hebbevo.show(run)
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["run"] == str(run.path)
    assert shown["world"] == "quadruped, 20 steps, evolved on intact"


def test_reprs_are_one_short_line(run: hebbevo.Run) -> None:
    genome = hebbevo.load_genome(run)
    evaluation = hebbevo.evaluate(genome, episodes=2, controls=False, execution=HERE)
    assert repr(genome.task) == "Task(quadruped, ABCD_lr, 28-4-8)"
    assert repr(genome).endswith(": quadruped, ABCD_lr, 28-4-8, 720 numbers, generation 1)")
    assert repr(run).endswith("/a': quadruped, 1 of 1 generations)")
    assert repr(evaluation).startswith(f"Evaluation({genome.name!r}: intact ")
    assert repr(run.config) == "Config(quadruped, ABCD_lr, openai_es, population 4)"
    assert str(run.config) == run.config.to_yaml()
    assert all(len(repr(one).replace(str(run.path), "")) < 100 for one in (genome, run, evaluation))


def test_genomes_and_tasks_pickle(run: hebbevo.Run) -> None:
    genome = hebbevo.load_genome(run)
    again = pickle.loads(pickle.dumps(genome))
    assert (again.task, again.provenance, again.name) == (genome.task, genome.provenance, genome.name)
    assert again.values.tobytes() == genome.values.tobytes()


def test_the_page_of_runs_shows_and_cuts_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    assert capsys.readouterr().out.startswith("generation 5/5")
    assert (found["run"].generation, found["cut"].resumed_from, len(found["curve"])) == (5, 3, 3)
    assert np.isfinite(found["means"]).all()


def test_runs_side_by_side_in_threads_are_those_alone(run: hebbevo.Run) -> None:
    def evolve(name: str) -> bytes:
        made = hebbevo.evolve("quick-quadruped", name, overrides=SETTINGS, execution=HERE)
        return (made.path / "center.safetensors").read_bytes()

    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(evolve, ["b", "c"]))
    assert beside == [(run.path / "center.safetensors").read_bytes()] * 2


def test_the_fitness_of_arrays_is_what_a_run_sees(run: hebbevo.Run) -> None:
    with hebbevo.FitnessFunction("quick-quadruped", SETTINGS, execution=HERE) as fitness:
        searcher = run.config.search.build(fitness.first_center, run.config.run.seed)
        genomes = searcher.ask().genomes(range(4))
        values = fitness(genomes)
        (row,) = hebbevo.training.progress.read_rows(run.path / "progress.csv")
        assert (values.mean(), values.max()) == (row["population_mean"], row["population_best"])
        assert repr(fitness) == "FitnessFunction(quadruped, ABCD_lr, 28-4-8, 720 numbers)"
        assert fitness(genomes[0]).shape == ()
        for wrong in (np.zeros((2, 7)), np.zeros((0, fitness.dimension)), 1.0):
            with pytest.raises(InputError, match=r"genomes must have shape \(n, 720\), got"):
                fitness(wrong)
        with pytest.raises(InputError, match="genomes must be finite"):
            fitness(np.full(fitness.dimension, np.nan))
    with pytest.raises(InputError, match="closed"):
        fitness(genomes)


@pytest.mark.parametrize(
    "key", ["network.normalise_observations=true", "training.level_replay=0.5", "training.merge_to=2"]
)
def test_a_fitness_function_refuses_what_needs_a_run(key: str) -> None:
    preset = "quick-carracing" if "level" in key else "quick-quadruped"
    with pytest.raises(InputError, match=f"{key.partition('=')[0]} needs a run"):
        hebbevo.FitnessFunction(preset, [key], execution=HERE)
