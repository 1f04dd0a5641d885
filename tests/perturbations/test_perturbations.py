"""Perturbations of lifetimes: their effects, their bits in every batch, and refusals."""

import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from reference_network import ReferenceNetwork
from tasks import CART_POLE, QUADRUPED, small_config

from hebbevo import Genome, InputError, evolve, load_config, load_genome, resume, save_genome
from hebbevo.errors import EnvError
from hebbevo.perturbations.catalogue import PERTURBATIONS, Perturbations, parse_perturbations, read_protocols
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rules import Distribution
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

DOG = ("env.name=dog", "network.hidden=6", "plasticity.normalise=max")
TASKS = {"quadruped": QUADRUPED, "dog": DOG, "CartPole": CART_POLE}
SAMPLES = {
    "none": "none",
    "zero_weights": "zero_weights:at=5,fraction=0.5",
    "randomise_weights": "randomise_weights:from=5,to=7,pattern=band,fraction=0.5",
    "freeze": "freeze:at=5",
    "saturate_actuators": "saturate_actuators:from=5,to=15",
    "kill_actuators": "kill_actuators:at=5,actuators=[0,1]",
    "sensor_noise": "sensor_noise:at=5,sd=0.3",
    "sensor_dropout": "sensor_dropout:from=5,to=20,fraction=0.5,every_step=true",
    "sensor_permutation": "sensor_permutation:from=5,to=20",
    "push": "push:at=5,speed=1",
    "friction": "friction:from=5,to=15,factor=0.1",
    "gravity": "gravity:at=5,factor=1.5",
    "switch_morphology": "switch_morphology:from=5,to=15,morphology=left_front_amputated",
}
COUNT = 7
SEEDS = [2000 + number for number in range(COUNT)]


def task_of(name: str, *overrides: str) -> Task:
    return Task.of(small_config("env.steps=30", *overrides, env=TASKS[name]))


def results_of(
    task: Task,
    perturbations: Perturbations | None,
    batch_size: int = COUNT,
    order: Sequence[int] = range(COUNT),
    hooks: Sequence[Hook] = (),
    plastic: bool = True,
) -> np.ndarray:
    """Return (fitness, steps, diverged) of the lifetimes, cut in this order into batches of this size."""
    bodies, worker = task.env.morphology_names, CpuWorker(task, batch_size)
    genomes = np.stack([task.first_genome(np.random.default_rng(number)) for number in range(COUNT)])
    results = np.zeros((COUNT, 3))
    for start in range(0, COUNT, batch_size):
        numbers = list(order[start : start + batch_size])
        part = worker.rollout(
            genomes[numbers],
            list(range(len(numbers))),
            [SEEDS[number] for number in numbers],
            [bodies[number % len(bodies)] for number in numbers],
            early_stop=False,
            plastic=plastic,
            hooks=hooks,
            perturbations=perturbations,
        )
        results[numbers] = np.stack([part.fitness, part.steps, part.diverged], axis=1)
    worker.close()
    return results


class WeightRecorder(Hook):
    """Keeps the weights of every step, and the actions."""

    def __init__(self, layers: int = 2) -> None:
        self.layers = layers
        self.weights: list[list[np.ndarray]] = []
        self.actions: list[np.ndarray] = []

    def on_observation(self, batch: Batch) -> None:
        self.weights.append([batch.network.weights(layer).copy() for layer in range(1, self.layers + 1)])

    def on_action(self, batch: Batch) -> None:
        self.actions.append(batch.actions.copy())


def test_every_kind_has_a_sample() -> None:
    assert set(SAMPLES) == set(PERTURBATIONS)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_changes_a_lifetime_or_is_refused(name: str, kind: str) -> None:
    task, perturbations = task_of(name), parse_perturbations(SAMPLES[kind])
    if name == "CartPole" and PERTURBATIONS[kind].intervention:
        with pytest.raises(InputError, match=f"{kind} acts on the body of `quadruped` or `dog`"):
            task.check(perturbations)
        return
    task.check(perturbations)
    same = np.array_equal(results_of(task, perturbations), results_of(task, ()))
    assert same == (kind == "none")


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize(
    ("batch_size", "order"), [(1, range(COUNT)), (4, [3, 0, 6, 2, 5, 1, 4]), (16, range(COUNT))]
)
def test_a_perturbed_lifetime_is_the_same_in_every_batch(
    kind: str, batch_size: int, order: Sequence[int]
) -> None:
    task, perturbations = task_of("quadruped"), parse_perturbations(f"none+{SAMPLES[kind]}+push:at=20")
    np.testing.assert_array_equal(
        results_of(task, perturbations, batch_size, order), results_of(task, perturbations, 3)
    )


def test_a_perturbed_lifetime_leaves_no_trace() -> None:
    task = task_of("quadruped")
    interventions = parse_perturbations("+".join(text for text in SAMPLES.values()))
    worker, genome = CpuWorker(task, 2), task.first_genome(np.random.default_rng(0))[None, :]

    def fitness(perturbations: Perturbations) -> list[float]:
        part = worker.rollout(
            genome, [0, 0], [1, 2], ["intact"] * 2, early_stop=False, perturbations=perturbations
        )
        return part.fitness.tolist()

    first = fitness(())
    assert fitness(interventions) != first
    assert fitness(()) == first


def test_lists_are_applied_in_order_with_draws_by_index() -> None:
    task = task_of("quadruped")
    noise, dead = "sensor_noise:at=5,sd=0.3", "sensor_dropout:at=5"
    orders = [f"{noise}+{dead}", f"{dead}+{noise}", f"none+{noise}+{dead}"]
    results = [results_of(task, parse_perturbations(text)).tobytes() for text in orders]
    assert len(set(results)) == 3


def test_two_together_match_a_reference_in_float64() -> None:
    """Against float64 in torch: a third of the weights zeroed at t = 8, actuators 1 and 3 at 0.7 for 5 <= t < 12."""
    text = "saturate_actuators:from=5,to=12,value=0.7,actuators=[1,3]+zero_weights:at=8,fraction=0.333"
    task, recorder = task_of("quadruped"), WeightRecorder()
    genome, seed, body = task.first_genome(np.random.default_rng(1)), 77, "intact"
    part = CpuWorker(task, 1).rollout(
        genome[None, :],
        [0],
        [seed],
        [body],
        early_stop=False,
        hooks=[recorder],
        perturbations=parse_perturbations(text),
    )
    reference = ReferenceNetwork(task.network_spec, task.layout, genome, seed)
    assert reference.spec.projections[0].initial_weights == Distribution.parse("uniform(-0.1, 0.1)")
    assert reference.spec.projections[0].normaliser == "max"
    environment, progress = task.env.build(1), 0.0
    environment.reset([seed], [body])
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 5, 1))))
    for step in range(30):
        if step == 8:
            for layer in (1, 2):
                weights = reference.weights(layer)
                zeroed = stream.permutation(weights.size)[: round(0.333 * weights.size)]
                weights.reshape(-1)[zeroed] = 0.0  # shares the tensor's memory
        for layer in (1, 2):
            seen = recorder.weights[step][layer - 1][0]
            np.testing.assert_allclose(seen, reference.weights(layer), atol=2e-4)
            assert np.count_nonzero(seen == 0) == (round(0.333 * seen.size) if step == 8 else 0)
        actions = reference.forward(environment.observations[0]).astype(np.float32)[None, :].copy()
        if 5 <= step < 12:
            actions[0, [1, 3]] = 0.7
        environment.step(actions, np.array([0]))
        progress += environment.rewards[0]
        reference.learn()
    assert part.fitness[0] == pytest.approx(progress, abs=1e-4)


def test_the_network_does_not_learn_of_saturated_actuators() -> None:
    task = task_of("quadruped")
    recorder = WeightRecorder()
    results_of(task, parse_perturbations("saturate_actuators:from=3,to=6"), hooks=[recorder])
    held = [bool((actions == 1.0).all()) for actions in recorder.actions]
    assert held == [3 <= step < 6 for step in range(30)]


def test_frozen_weights_stay_and_thaw() -> None:
    task = task_of("quadruped")
    recorder = WeightRecorder()
    results_of(task, parse_perturbations("freeze:from=3,to=8+freeze:from=6,to=12"), hooks=[recorder])
    moved = [
        not np.array_equal(now[0], later[0])
        for now, later in zip(recorder.weights[:-1], recorder.weights[1:], strict=True)
    ]
    assert moved == [not 3 <= step < 12 for step in range(29)]


def test_frozen_from_reset_is_the_rule_switched_off() -> None:
    task = task_of("quadruped")
    np.testing.assert_array_equal(
        results_of(task, parse_perturbations("freeze:at=0")), results_of(task, (), plastic=False)
    )
    off = results_of(task, parse_perturbations("freeze:from=3,to=5"), plastic=False)
    np.testing.assert_array_equal(off, results_of(task, (), plastic=False))


@pytest.mark.parametrize("pattern", ["random", "band"])
def test_the_fraction_sets_the_number_of_zeroed_weights(pattern: str) -> None:
    task, recorder = task_of("quadruped"), WeightRecorder()
    text = f"zero_weights:at=4,fraction=0.25,pattern={pattern},layer=2"
    results_of(task, parse_perturbations(text), hooks=[recorder])
    first, second = recorder.weights[4]
    assert np.count_nonzero(first == 0) == 0
    masks = (second == 0).reshape(COUNT, -1)
    assert masks.sum(axis=1).tolist() == [round(0.25 * masks.shape[1])] * COUNT
    assert len({mask.tobytes() for mask in masks}) > 1  # every lifetime its own
    runs = (np.diff(masks.astype(int), axis=1) == 1).sum(axis=1) + masks[:, 0]
    assert (runs == 1).all() == (pattern == "band")


def test_random_weights_are_drawn_as_the_initial_ones() -> None:
    task, recorder = task_of("quadruped"), WeightRecorder()
    results_of(task, parse_perturbations("randomise_weights:at=4"), hooks=[recorder])
    weights = recorder.weights[4][0]
    assert np.abs(weights).max() <= 0.1 < np.abs(recorder.weights[3][0]).max()
    assert weights.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.05)


def test_traces_are_zeroed_with_their_synapses() -> None:
    hidden = ("plasticity.normalise=none", "plasticity.rule={w: w + eta*e, e: 0.9*e + pre*post}")

    class Traces(Hook):
        def on_observation(self, batch: Batch) -> None:
            if batch.step == 4:
                self.w, self.e = (batch.network.state(state, 1).copy() for state in ("w", "e"))

    traces = Traces()
    task = task_of("quadruped", *hidden)
    results_of(task, parse_perturbations("zero_weights:at=4,fraction=0.5"), hooks=[traces])
    zeroed = traces.w == 0
    assert zeroed.sum() == COUNT * round(0.5 * traces.w[0].size)
    assert (traces.e[zeroed] == 0).all()
    assert (traces.e[~zeroed] != 0).mean() > 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zero_wights:at=3", "unknown perturbation 'zero_wights'; did you mean zero_weights?"),
        ("zero_weights:at=3,fracton=0.1", "did you mean perturbation.fraction?"),
        ("zero_weights:fraction=0.1", "zero_weights needs a time: at=T, or from=A,to=B"),
        ("zero_weights:at=3,from=4", "give `at`, or `from` and `to`, not both"),
        ("freeze:from=9,to=9", "the window from 9 to 9 holds no step; `to` must be above `from`"),
        ("freeze:to=9", "needs a time"),
        ("zero_weights:at=3,fraction=1.5", "perturbation.fraction: input should be less than or equal to 1"),
        ("zero_weights:at=-3", "perturbation.at: input should be greater than or equal to 0"),
        ("push:at=3,speed=1,impulse=[1,0,0]", "give one of velocity, impulse and speed"),
        ("randomise_weights:at=3,distribution=uniform(1)", "not a distribution"),
        ("zero_weights:at", "cannot read 'at'"),
        ("zero_weights:at=3,at=4", "each key once"),
        ("", "unknown perturbation ''"),
    ],
)
def test_an_unreadable_text_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises((InputError, EnvError)) as caught:
        parse_perturbations(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zero_weights:at=30", "at t = 30 is after the end of the lifetime; env.steps is 30"),
        ("freeze:from=10,to=31", "to 31 is past the end of the lifetime at 30"),
        ("kill_actuators:actuators=[8]", "there is no actuator 8; they are numbered 0 to 7"),
        ("kill_actuators:actuators=[1,1]", "listed twice"),
        ("sensor_noise:sensors=[28]", "there is no sensor 28; they are numbered 0 to 27"),
        ("zero_weights:at=3,layer=3", "there is no layer 3; layers are 1 to 2"),
        ("switch_morphology:at=3,morphology=intakt", "did you mean intact?"),
    ],
)
def test_an_impossible_perturbation_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        task_of("quadruped").check(parse_perturbations(text), "perturb")
    assert message in str(caught.value)
    assert str(caught.value).startswith("perturb")


def test_the_short_form_is_read_back() -> None:
    for text in SAMPLES.values():
        (perturbation,) = parse_perturbations(text)
        assert parse_perturbations(str(perturbation)) == (perturbation,)
    text = "randomise_weights:at=3,distribution=normal(0, 0.1)+push:at=5,velocity=[1,0,0.5]"
    assert read_protocols(text) == {
        " + ".join(map(str, parse_perturbations(text))): parse_perturbations(text)
    }


def test_protocols_are_read_from_yaml(tmp_path) -> None:
    file = tmp_path / "lesions.yaml"
    file.write_text("- {kind: zero_weights, at: 3}\n- saturate_actuators:from=5,to=8\n")
    both = parse_perturbations("zero_weights:at=3+saturate_actuators:from=5,to=8")
    assert read_protocols(str(file)) == {"lesions": both}
    file.write_text("one:\n- {kind: zero_weights, at: 3}\ntwo: saturate_actuators:from=5,to=8\n")
    assert read_protocols(str(file)) == {"one": both[:1], "two": both[1:]}
    file.write_text("one: [{kind: freeze, at: x}]\n")
    with pytest.raises(InputError, match=r"one\[0\].at: input should be a valid integer"):
        read_protocols(str(file))
    with pytest.raises(InputError, match=r"cannot read nowhere\.yaml: No such file"):
        read_protocols("nowhere.yaml")


LESION = "perturbations=[{kind: zero_weights, at: 10, fraction: 0.5}, {kind: sensor_noise, from: 5, to: 25}]"


def test_a_config_without_perturbations_is_written_as_before() -> None:
    config = small_config()
    assert "perturbations" not in config.to_yaml()
    assert "perturbations" not in config.model_dump(mode="json")
    assert set(Task.of(config).header()) == {"env", "network", "plasticity"}


def test_overrides_take_both_forms() -> None:
    long = small_config(LESION)
    short = small_config("perturbations=zero_weights:at=10,fraction=0.5+sensor_noise:from=5,to=25")
    assert long == short
    assert long.model_dump(mode="json")["perturbations"] == [
        {"kind": "zero_weights", "at": 10, "fraction": 0.5, "pattern": "random"},
        {"kind": "sensor_noise", "from": 5, "to": 25, "sensors": [], "sd": 0.1},
    ]
    with pytest.raises(InputError, match="after the end of the lifetime"):
        small_config("perturbations=zero_weights:at=40")
    with pytest.raises(InputError, match=r"perturbations\[0\]: unknown perturbation"):
        small_config("perturbations=[{kind: zero}]")


def test_a_run_with_perturbations_resumes_exactly_and_its_genome_carries_them(tmp_path) -> None:
    config = small_config(LESION, env=QUADRUPED)

    def stop(step) -> None:
        if step.generation == 2:
            raise KeyboardInterrupt

    uninterrupted = evolve(config, tmp_path / "uninterrupted")
    with pytest.raises(KeyboardInterrupt):
        evolve(config, tmp_path / "resumed", watch=stop)
    resume(tmp_path / "resumed")
    for name in ("center.safetensors", "progress.csv", "config.yaml"):
        assert (tmp_path / "resumed" / name).read_bytes() == (uninterrupted.path / name).read_bytes(), name
    assert load_genome(uninterrupted.path).task.perturbations == config.perturbations
    assert load_config(str(uninterrupted.path / "config.yaml")) == config
    assert pickle.loads(pickle.dumps(config.perturbations)) == config.perturbations  # as Ray sends them
    plain = evolve(small_config(env=QUADRUPED), tmp_path / "plain")
    assert not np.array_equal(plain.center, uninterrupted.center)


def test_a_file_with_impossible_perturbations_is_refused(tmp_path) -> None:
    task = task_of("quadruped")
    values = task.first_genome(np.random.default_rng(0))
    late = replace(task, perturbations=parse_perturbations("zero_weights:at=30"))
    save_genome(Genome(late, values), tmp_path / "late.safetensors")
    with pytest.raises(
        InputError, match=r"genome '.*late.safetensors': perturbations: .* after the end of the lifetime"
    ):
        load_genome(tmp_path / "late.safetensors")
