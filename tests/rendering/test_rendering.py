"""Videos: the lifetime is the one of `evaluate`, frames keep real time, and no file is overwritten.

The Gymnasium tasks draw themselves, so that everything up to the video is tested everywhere. Where there is no GL,
the quadruped's test sees the line that says what to install.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from tasks import HERE, cart_pole_task, quadruped_task

from hebbevo import Genome, InputError, evaluate, load_config
from hebbevo.envs import EnvConfig, EnvironmentInterface
from hebbevo.envs.robots.quadruped import QuadrupedConfig
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rendering import gl
from hebbevo.rendering.cameras import Camera, camera_for
from hebbevo.rendering.canvas import Canvas, Window
from hebbevo.rendering.gl import find_gl
from hebbevo.rendering.layout import BAR, LABEL, MATRICES, PLOT, SIZE, Picture, matrix_boxes, round_ticks
from hebbevo.rendering.mp4 import write_video
from hebbevo.rendering.offscreen import OffscreenRenderer
from hebbevo.rendering.recording import FRAMES_PER_SECOND, Recording
from hebbevo.rendering.video import record, render
from hebbevo.rendering.weight_scale import WeightScale
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

BODY = {"quadruped": "right_front_damaged", "CartPole": "default"}
TASKS = {"quadruped": quadruped_task, "CartPole": cart_pole_task}


class NoCamera(Camera):
    """A camera for steps of this length that draws gray."""

    def __init__(self, seconds_per_step: float = 0.0165) -> None:
        self.seconds_per_step = seconds_per_step

    def pictures(self, recording: Recording) -> Iterator[Picture]:
        yield from (np.full((9, 16, 3), 60, np.uint8) for _ in recording.moments)


def genome_of(task: Task) -> Genome:
    return Genome(task, task.first_genome(np.random.default_rng(0)), name="walker")


def recorded(genome: Genome, body: str, seed: int = 4, camera: Camera | None = None) -> Recording:
    return record(
        genome.task, genome.values, camera or NoCamera(), body, lifetime_seed(seed, SeedPurpose.EVALUATION, 0)
    )


def frames_of(path: Path) -> np.ndarray:
    """Decode a video: ``(frames, height, width, 3)``."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader])


def gl_works() -> bool:
    try:
        find_gl()
    except InputError:
        return False
    return True


@pytest.fixture(autouse=True)
def _forget_gl() -> Iterator[None]:
    yield
    find_gl.cache_clear()


@pytest.mark.parametrize("name", TASKS)
def test_the_lifetime_is_the_first_of_evaluate(name: str) -> None:
    genome, body = genome_of(TASKS[name]()), BODY[name]
    bodies = [body] if name == "quadruped" else None
    evaluation = evaluate(genome, episodes=2, seed=4, morphologies=bodies, controls=False, execution=HERE)
    recording = recorded(genome, body)
    expected = evaluation.lifetimes[body]["genome"]
    assert recording.result.fitness[0] == expected.fitness[0]
    assert recording.result.steps[0] == expected.steps[0] == len(recording.actions)


def test_the_recording_holds_what_another_hook_sees() -> None:
    class Witness(Hook):
        def __init__(self) -> None:
            self.weights: list[list[np.ndarray]] = []
            self.rewards: list[float] = []

        def on_observation(self, batch: Batch) -> None:
            self.weights.append([batch.network.weights(layer)[0].copy() for layer in (1, 2)])

        def on_step(self, batch: Batch) -> None:
            self.rewards.append(batch.environment.rewards[0])

    genome, witness = genome_of(quadruped_task()), Witness()
    recording = recorded(genome, "intact")
    CpuWorker(genome.task, 1).rollout(
        genome.values[None], [0], [recording.seed], ["intact"], early_stop=False, hooks=[witness]
    )
    assert len(recording.moments) > 10
    for moment in recording.moments:
        for noted, seen in zip(moment.weights, witness.weights[moment.step], strict=True):
            np.testing.assert_array_equal(noted, seen)
        assert moment.progress == pytest.approx(sum(witness.rewards[: moment.step]), abs=1e-12)


@pytest.mark.parametrize("seconds", [0.0165, 0.01, 1 / 30, 0.05, 0.1])
def test_frames_keep_real_time(seconds: float) -> None:
    recording = recorded(genome_of(quadruped_task("env.steps=120")), "intact", camera=NoCamera(seconds))
    shown = [moment.step for moment in recording.moments for _ in range(moment.frames)]
    assert abs(len(shown) - 120 * seconds * FRAMES_PER_SECOND) <= 1 + seconds * FRAMES_PER_SECOND
    for frame, step in enumerate(shown):  # the step that goes on when the frame appears
        assert step * seconds <= frame / FRAMES_PER_SECOND + 1e-9
        assert frame / FRAMES_PER_SECOND < (step + 1) * seconds + 1e-9


def test_a_task_that_draws_itself_becomes_a_video() -> None:
    genome = genome_of(cart_pole_task())
    counted: list[tuple[int, int]] = []
    recording = render(genome, "lifetime.mp4", seed=4, watch=lambda *counts: counted.append(counts))
    frames = frames_of(Path("lifetime.mp4"))
    length = sum(moment.frames for moment in recording.moments)
    assert frames.shape == (length, SIZE[1], SIZE[0], 3)
    assert counted == [(number, length) for number in range(1, length + 1)]
    assert (frames[0] != frames[-1]).mean() > 0.001
    assert list(Path().iterdir()) == [Path("lifetime.mp4")]
    # the replay is the same lifetime: its last picture is of the last moment, not of another fall
    camera = camera_for(genome.task.env)
    assert len(list(camera.pictures(recording))) == len(recording.moments)
    camera.close()


def test_a_perturbed_lifetime_is_recorded_with_its_perturbations() -> None:
    genome, text = genome_of(quadruped_task()), "zero_weights:at=5,fraction=0.5+kill_actuators:from=9,to=20"
    task = replace(genome.task, perturbations=parse_perturbations(text))
    every_step = NoCamera(1 / FRAMES_PER_SECOND)
    recording = recorded(replace(genome, task=task), "intact", camera=every_step)
    unperturbed = recorded(genome, "intact")
    expected = CpuWorker(genome.task, 1).rollout(
        *(genome.values[None], [0], [recording.seed], ["intact"]),
        early_stop=False,
        perturbations=parse_perturbations(text),
    )
    assert recording.result.fitness[0] == expected.fitness[0] != unperturbed.result.fitness[0]
    before, event = (recording.moments[step].weights[0] for step in (4, 5))
    assert (before != 0).all()
    assert (event == 0).mean() == pytest.approx(0.5, abs=0.1), "weights after the perturbation"
    assert (recording.actions[9:20] == 0).all()
    assert (recording.actions[20] != 0).all()


def test_a_replay_takes_the_perturbed_actions() -> None:
    recording = render(genome_of(cart_pole_task()), "a.mp4", perturb="sensor_noise:from=2,to=9,sd=3")
    camera = camera_for(cart_pole_task().env)
    assert len(list(camera.pictures(recording))) == len(recording.moments)
    camera.close()
    assert [str(perturbation) for perturbation in recording.perturbations] == [
        "sensor_noise:from=2,to=9,sd=3"
    ]


def test_car_racing_is_drawn_by_gymnasium() -> None:
    pytest.importorskip("Box2D")
    task = Task.of(load_config("quick-carracing", ["env.steps=6", "network.hidden=4"]))
    genome = genome_of(task)
    camera = camera_for(task.env)
    recording = recorded(genome, "default", camera=camera)
    expected = evaluate(genome, episodes=1, seed=4, controls=False, execution=HERE)
    assert recording.result.fitness[0] == expected.progress("default")[0]
    official = gymnasium.make("CarRacing-v3", render_mode="rgb_array")
    official.reset(seed=recording.seed % 2**32)
    picture = next(camera.pictures(recording))
    assert picture.shape == (400, 600, 3)
    np.testing.assert_array_equal(picture, official.render())
    camera.close()
    official.close()


def test_steps_bound_the_lifetime() -> None:
    recording = render(genome_of(cart_pole_task()), "lifetime.mp4", steps=5)
    assert recording.result.steps[0] == 5


def test_a_quadruped_is_drawn_or_the_error_names_the_package() -> None:
    genome = genome_of(quadruped_task())
    if not gl_works():
        with pytest.raises(InputError, match="libosmesa6"):
            render(genome, "walk.mp4")
        assert not Path("walk.mp4").exists()
        return
    render(genome, "walk.mp4", morphology="right_front_damaged", steps=12)
    frames = frames_of(Path("walk.mp4"))
    assert frames.shape[1:] == (SIZE[1], SIZE[0], 3)
    body = frames[0, 100:450, 150:650].astype(int)  # the torso is brown: more red than blue
    assert 0.02 < (body[..., 0] > body[..., 2] + 40).mean() < 0.6


@pytest.mark.parametrize("row", ["upper", "lower"])
def test_a_picture_stands_upright(row: str) -> None:
    if not gl_works():
        pytest.skip("needs OpenGL; the test above covers its lack")
    env = QuadrupedConfig()
    batch = env.build(1)
    batch.reset([1], ["intact"])
    with closing(OffscreenRenderer(batch.model(0), 160, 120)) as renderer:
        picture = renderer.draw(batch.position(0), distance=4.0, angles=(110, -10), look_at=(0, 0, 0.3))
    sky = picture[:15].reshape(-1, 3).std(axis=0).max()
    floor = picture[-40:].reshape(-1, 3).std(axis=0).max()
    assert sky < 20 < floor, "the sky is plain, the floor is checked"


def test_no_gl_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "works", lambda name: False)
    find_gl.cache_clear()
    with pytest.raises(InputError, match="libosmesa6") as caught:
        render(genome_of(quadruped_task()), "walk.mp4")
    assert "\n" not in str(caught.value)
    assert not Path("walk.mp4").exists()


@pytest.mark.parametrize("trial", ["import os; os.abort()", "raise ImportError", "import os; os._exit(3)"])
def test_a_gl_that_fails_or_crashes_is_skipped(trial: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "_candidates", lambda: ("first", "second"))
    monkeypatch.setattr(gl, "_TRIAL", f"import sys\nif sys.argv[1] == 'first':\n    {trial}")
    find_gl.cache_clear()
    assert find_gl() == "second"


def test_mujoco_gl_leaves_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl, "works", lambda name: name == "egl")
    for asked, found in (("egl", "egl"), ("EGL ", "egl"), ("", "egl")):
        monkeypatch.setenv("MUJOCO_GL", asked)
        find_gl.cache_clear()
        if sys.platform == "linux":
            assert find_gl() == found
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    find_gl.cache_clear()
    with pytest.raises(InputError, match="MUJOCO_GL=osmesa allows no other"):
        find_gl()


@pytest.mark.parametrize(
    ("out", "options", "expected"),
    [
        ("walk.gif", {}, "a video is an .mp4 file"),
        ("walk", {}, "a video is an .mp4 file"),
        ("there.mp4", {}, "there.mp4 exists"),
        ("no/walk.mp4", {}, "no directory no"),
        ("a.mp4", {"morphology": "intct"}, "one body only"),
        ("a.mp4", {"seed": -1}, "seed must be"),
        ("a.mp4", {"steps": 0}, "env.steps"),
        ("a.mp4", {"perturb": "zero_weight:at=3"}, "did you mean zero_weights"),
        ("a.mp4", {"perturb": "zero_weights:at=40"}, "after the end of the lifetime"),
        ("a.mp4", {"perturb": "zero_weights:at=9", "steps": 9}, "after the end of the lifetime"),
        ("a.mp4", {"perturb": "push:at=3,speed=1"}, "perturb weights, sensors or actuators"),
        ("a.mp4", {"perturb": "none.yaml"}, "cannot read none.yaml"),
    ],
)
def test_bad_input_is_refused(out: str, options: dict[str, object], expected: str) -> None:
    Path("there.mp4").write_bytes(b"kept")
    with pytest.raises(InputError, match=expected) as caught:
        render(genome_of(cart_pole_task()), out, **options)
    assert "\n" not in str(caught.value)
    assert [(path.name, path.read_bytes()) for path in Path().iterdir()] == [("there.mp4", b"kept")]


def test_an_unknown_body_is_refused() -> None:
    if gl_works():
        with pytest.raises(ValueError, match="did you mean intact"):
            render(genome_of(quadruped_task()), "a.mp4", morphology="intct")


def test_an_environment_without_a_camera_is_refused() -> None:
    class Other(EnvConfig):
        unit, releases_gil = "m", True

        @property
        def interface(self) -> EnvironmentInterface:
            raise AssertionError

    with pytest.raises(InputError, match="cannot draw other"):
        camera_for(Other(name="other"))


def test_a_video_that_breaks_off_leaves_nothing() -> None:
    def frames() -> Iterator[Picture]:
        yield np.zeros((32, 32, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(Path("a.mp4"), frames(), 2, FRAMES_PER_SECOND)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("largest", [0.1, 1.0, 3e4, 1e-3])
def test_the_scale_is_odd_ascending_and_bounded(largest: float) -> None:
    generator = np.random.default_rng(0)
    initial = generator.uniform(-0.1, 0.1, (8, 6))
    scale = WeightScale([[initial.astype(np.float32)], [np.full((8, 6), largest, np.float32)]])
    weights = np.geomspace(1e-6, 1e6, 200)
    positions = scale.position(weights)
    assert (np.diff(positions) >= 0).all()
    np.testing.assert_allclose(scale.position(-weights), -positions)
    assert scale.position(scale.limit) == pytest.approx(1.0)
    assert positions[-1] == 1.0
    assert scale.position(0.0) == 0.0
    within = np.linspace(-scale.limit, scale.limit, 99)
    np.testing.assert_allclose(scale.weight(scale.position(within)), within, rtol=1e-9, atol=1e-12)
    assert scale.position(np.array([np.nan, np.inf, -np.inf])).tolist() == [0.0, 1.0, -1.0]
    red, blue = scale.colors([scale.limit])[0].astype(int), scale.colors([-scale.limit])[0].astype(int)
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    assert scale.colors([0.0])[0].min() > 240
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert 0.0 in ticks
    assert max(ticks) <= scale.limit * 1.0001


@pytest.mark.parametrize(
    "shapes",
    [[(128, 28), (64, 128), (8, 64)], [(128, 648), (64, 128), (3, 64)], [(1, 1)], [(4, 4)] * 10, [(3000, 9)]],
)
def test_matrices_are_stacked_in_their_column(shapes: list[tuple[int, int]]) -> None:
    left, top, right, bottom = MATRICES
    end = top
    for (rows, columns), box in zip(shapes, matrix_boxes(shapes), strict=True):
        assert left <= box[0] < box[2] <= right
        assert end + LABEL <= box[1] < box[3] <= bottom
        if rows <= 100 and columns <= 400:
            assert (box[2] - box[0]) % columns == 0
        end = box[3]
    assert bottom < BAR[1] < SIZE[1]


def test_a_frame_shows_weights_progress_and_perturbations() -> None:
    recording = recorded(genome_of(quadruped_task()), "intact")
    plain = Canvas(recording, "title", "m", "progress (m)")
    marked = Canvas(recording, "title", "m", "progress (m)", [Window("a push", 10, 20)])
    picture = np.full((9, 16, 3), 60, np.uint8)
    numbers = [
        next(n for n, moment in enumerate(recording.moments) if moment.step >= step) for step in (0, 12)
    ]
    frames = [plain.draw(number, picture) for number in numbers]
    left, top, right, bottom = matrix_boxes([(6, 28), (8, 6)])[0]
    colors = plain._scale.colors(recording.moments[0].weights[0])
    cell = ((bottom - top) // 6, (right - left) // 28)
    shown = frames[0][top + cell[0] // 2 : bottom : cell[0], left + cell[1] // 2 : right : cell[1]]
    np.testing.assert_array_equal(shown, colors)
    assert (frames[0][PLOT[1] : PLOT[3]] != frames[1][PLOT[1] : PLOT[3]]).any()
    window = marked.draw(numbers[0], picture)[PLOT[3] - 3, PLOT[0] : PLOT[2]]
    amber = np.flatnonzero((window == (0xF3, 0xD9, 0xA4)).all(axis=1)) / (PLOT[2] - PLOT[0])
    assert amber.min() == pytest.approx(10 / 40, abs=0.01)
    assert amber.max() == pytest.approx(20 / 40, abs=0.01)
    # its label is on the picture while it acts
    assert (
        marked.draw(numbers[0], picture)[58:90, :300] == plain.draw(numbers[0], picture)[58:90, :300]
    ).all()
    assert (
        marked.draw(numbers[1], picture)[58:90, :300] != plain.draw(numbers[1], picture)[58:90, :300]
    ).any()


@pytest.mark.parametrize(("low", "high"), [(0.0, 16.5), (-0.3, 0.1), (3.0, 4000.0), (0.0, 1e-5)])
def test_ticks_are_few_and_within(low: float, high: float) -> None:
    ticks = round_ticks(low, high, 4)
    assert 1 <= len(ticks) <= 5
    assert low - 1e-9 <= min(ticks) <= max(ticks) <= high + 1e-9


def test_a_network_whose_weights_never_change_is_drawn() -> None:
    genome = genome_of(cart_pole_task("plasticity.rule=none", "plasticity.initial_weights=evolved"))
    zero = replace(genome, values=np.zeros_like(genome.values))
    assert render(zero, "zero.mp4", steps=3).result.steps[0] == 3
