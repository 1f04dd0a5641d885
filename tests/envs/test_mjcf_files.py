"""A robot's file is read from its folder alone and parsed from memory alone; what it asks for is bounded."""

from __future__ import annotations

import os
from pathlib import Path

import mujoco
import numpy as np
import pytest
from worlds import WALKER

import hebbevo
from hebbevo.cli import app
from hebbevo.envs.mjcf.document import pack
from hebbevo.errors import InputError
from hebbevo.genomes.file import write_genome
from hebbevo.tasks.task import Task

MESH = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"
FLOOR = '<geom name="floor"'


def inside(element: str, text: str = WALKER) -> str:
    return text.replace("</mujoco>", f"{element}</mujoco>")


def world(element: str) -> str:
    return WALKER.replace("</worldbody>", f"{element}</worldbody>")


def asset(element: str) -> str:
    return inside(f"<asset>{element}</asset>")


HOSTILE = {
    "an include from outside": (
        inside("<include file='../outside.xml'/>"),
        "'../outside.xml' is not in the robot's",
    ),
    "an absolute include": (
        inside("<include file='/etc/passwd'/>"),
        "'/etc/passwd' is not in the robot's folder",
    ),
    "an include of itself": (inside("<include file='robot.xml'/>"), "does one include itself?"),
    "an include by a link": (inside("<include file='link.xml'/>"), "'link.xml' is not in the robot's folder"),
    "entities": (f"<!DOCTYPE m [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]>{WALKER}", "document type"),
    "an entity of a file": (f"<!DOCTYPE m [<!ENTITY a SYSTEM '/etc/passwd'>]>{WALKER}", "document type"),
    "a mesh outside": (
        asset("<mesh file='../outside.obj'/>"),
        "'../outside.obj' leads out of the robot's folder",
    ),
    "an absolute mesh": (asset("<mesh name='m' file='/etc/passwd'/>"), "<mesh 'm'>: '/etc/passwd' leads out"),
    "a folder outside": (
        asset("<mesh file='outside.obj'/>").replace("<option", "<compiler meshdir='..'/><option"),
        "'../outside.obj' leads out",
    ),
    "a mesh that is missing": (asset("<mesh file='no.obj'/>"), "cannot read no.obj: No such file"),
    "a mesh that is a secret": (asset("<mesh file='key.pem'/>"), "a mesh or picture is .obj, .stl, .png"),
    "a plugin": (
        inside("<extension><plugin plugin='mujoco.sdf.torus'/></extension>"),
        "plugins are code outside",
    ),
    "another model": (asset("<model name='m' file='robot.xml'/>"), "<model>: other models are outside"),
    "a million copies": (
        world("<replicate count='1000000'><geom size='1'/></replicate>"),
        "<replicate>: write out",
    ),
    "a huge composite": (world("<body><composite count='10000000 1 1'/></body>"), "<composite>: write out"),
    "a huge grid": (
        world("<body><flexcomp name='f' count='999 999 999'/></body>"),
        "soft bodies are not simulated",
    ),
    "a huge field": (
        asset("<hfield name='h' nrow='100000' ncol='9' size='1 1 1 1'/>"),
        "nrow is at most 1000",
    ),
    "a huge picture": (asset("<texture name='t' width='1000000' height='9'/>"), "width is at most 4096"),
    "a huge numeric": (
        inside("<custom><numeric name='n' size='2000000000'/></custom>"),
        "size is at most 1000",
    ),
    "a huge sensor": (inside("<sensor><user name='u' dim='1000000000'/></sensor>"), "dim is at most 1000"),
    "endless iterations": (
        WALKER.replace("<option", "<option iterations='2000000000'"),
        "iterations is at most 10000",
    ),
    "a tiny time step": (WALKER.replace("0.008", "1e-9"), "option timestep must be from 1e-05 to 0.1 s"),
    "NaN": (WALKER.replace("0 0 0.5", "nan 0 0.5"), "<body 'torso'>: pos must be finite, got 'nan 0 0.5'"),
    "deep nesting": (world("<body>" * 3000 + "</body>" * 3000), "5000 elements, 100 within each other"),
    "many elements": (world("<geom size='1'/>" * 6000), "at most 5000 elements"),
    "a long file": (WALKER + " " * 400_000, "has more than 400,000 bytes"),
    "no XML": ("hello", "this is no XML: syntax error"),
    "a URDF": ("<robot name='r'/>", "an element <mujoco>, got <robot>"),
    "a wrong number": (WALKER.replace('gear="5"', 'gear="five"'), "bad format in attribute 'gear'"),
    "no motor": (WALKER.replace("motor joint", "general site").replace('gear="5"', ""), "MuJoCo cannot read"),
    "a ball": (
        WALKER.replace('name="hip" axis="0 1 0" range="-40 40"', 'name="hip" type="ball"'),
        "write three hinges",
    ),
    "a loose object": (
        world("<body name='toy'><freejoint/><geom size='1'/></body>"),
        "body 'toy' moves by itself",
    ),
    "sleep": (
        WALKER.replace('"0.008"/>', '"0.008"><flag sleep="enable"/></option>'),
        "flag sleep cannot be stepped",
    ),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder beside files that nobody named."""
    folder = tmp_path / "robot"
    folder.mkdir()
    (tmp_path / "outside.xml").write_text("<mujoco/>")
    (tmp_path / "outside.obj").write_text(MESH)
    (folder / "key.pem").write_text("secret")
    (folder / "link.xml").symlink_to(tmp_path / "outside.xml")
    monkeypatch.chdir(folder)


def test_a_file_that_mujoco_has_saved_is_read() -> None:
    """A sky is written with the height of all its six squares, and a scene's shadows may be sharp."""
    sky = "<texture name='sky' type='skybox' builtin='gradient' width='800' height='800'/>"
    quality = "<visual><quality shadowsize='8192'/></visual>"
    spec = mujoco.MjSpec.from_string(asset(sky).replace("</mujoco>", f"{quality}</mujoco>"))
    spec.compile()
    saved = spec.to_xml()
    assert 'height="4800"' in saved
    config = hebbevo.load_config("quick-quadruped", {"env.name": "mjcf", "env.mjcf": saved})
    assert config.env.interface.observation_size == 11


def test_a_robot_without_its_scene_is_said_to_fall() -> None:
    def about(text: str) -> str:
        return hebbevo.load_config("quick-quadruped", {"env.name": "mjcf", "env.mjcf": text}).env.about

    start, end = WALKER.index('<geom name="floor'), WALKER.index('<body name="torso"')
    alone = WALKER[:start] + WALKER[end:]
    assert "torso torso (free), feet leg" in about(WALKER)
    assert "torso torso (free, over no floor: it falls)" in about(alone)
    assert "falls" not in about(alone.replace("<option", "<option gravity='0 0 0'"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_robot_is_refused_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text, message = HOSTILE[name]
    Path("robot.xml").write_text(text)
    before = sorted(os.listdir())
    assert app.run(["config", "quick-quadruped", "env.name=mjcf", "env.file=robot.xml"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert len(error) < 400
    assert sorted(os.listdir()) == before


def test_contacts_of_a_robot_of_many_parts_are_not_listed_in_pairs() -> None:
    """They would be half a million."""
    parts = "".join(f"<geom size='0.1' pos='{place} 0 0'/>" for place in range(1000))
    config = hebbevo.load_config(
        "quick-quadruped", {"env.name": "mjcf", "env.mjcf": world(parts), "env.burn_in": 0}
    )
    model = config.env.compile("intact")
    assert (model.ngeom, model.npair) == (1003, 0)


def test_what_a_config_or_a_genome_holds_names_no_file() -> None:
    """Meshes are those that are packed beside the text, and the text of a genome cannot name others."""
    Path("m.obj").write_text(MESH)
    text = asset("<mesh name='m' file='m.obj'/>")
    base = {"preset": "quick-quadruped", "env": {"name": "mjcf", "mjcf": text}}
    with pytest.raises(
        InputError, match=r"<mesh 'm'> names 'm\.obj', which is none of the robot's own assets"
    ):
        hebbevo.load_config(base)
    for packed, message in (
        ({"m.obj": "!"}, "the asset 'm.obj' is damaged"),
        ({"m.obj": pack(b"0" * (17 << 20))}, "take more than 16 MiB"),
        ({"m.obj": pack(b"v 0 0 0")}, "MuJoCo cannot read this robot"),
    ):
        with pytest.raises(InputError, match=message):
            hebbevo.load_config(base | {"env": base["env"] | {"assets": packed}})
    with pytest.raises(InputError, match=r"include.*env\.file"):
        hebbevo.load_config(base | {"env": {"name": "mjcf", "mjcf": inside("<include file='m.xml'/>")}})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("file", "../outside.xml", "unknown key in env 'env.file'"),
        ("bodies", "../outside.xml", "env.bodies: input should be a valid dictionary"),
        ("mjcf", inside("<include file='../outside.xml'/>"), "a robot cannot have <include>"),
        ("mjcf", asset("<mesh file='/etc/passwd'/>"), "leads out of the robot's folder"),
        ("reward", "__import__('os')", "is not allowed"),
        ("end", "height < nothing", "'nothing' is no quantity"),
        ("torso", "nobody", "unknown body 'nobody'"),
        ("feet", ["nobody"], "unknown geom or body 'nobody'"),
    ],
)
def test_a_hostile_genome_is_refused_in_one_line(
    key: str, value: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = hebbevo.load_config(
        "quick-quadruped", {"env.name": "mjcf", "env.mjcf": WALKER, "network.hidden": [2]}
    )
    task = Task.of(config)
    header = {"task": task.header()}
    header["task"]["env"][key] = value
    write_genome("genome", task.layout, task.first_genome(np.random.default_rng(0)), header)
    assert app.run(["evaluate", "genome"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_robot_of_several_files_is_the_one_that_mujoco_reads() -> None:
    """Folders, includes, meshes and pictures; moved away, it is still there."""
    Path("parts/meshes").mkdir(parents=True)
    Path("parts/meshes/claw.obj").write_text(MESH)
    Path("parts/look.xml").write_text(
        "<mujocoinclude><asset><mesh file='claw.obj' scale='.1 .1 .1'/></asset></mujocoinclude>"
    )
    Path("robot.xml").write_text(
        inside("<include file='parts/look.xml'/>", world("<geom type='mesh' mesh='claw'/>")).replace(
            "<option", "<compiler meshdir='parts/meshes'/><option"
        )
    )
    config = hebbevo.load_config("quick-quadruped", ["env.name=mjcf", "env.file=robot.xml"])
    expected = mujoco.MjModel.from_xml_path("robot.xml")
    for name in ("robot.xml", "parts/look.xml", "parts/meshes/claw.obj"):
        Path(name).unlink()
    again = hebbevo.load_config({"env": config.env.model_dump(mode="json"), "preset": "quick-quadruped"}).env
    model = again.compile("intact")
    np.testing.assert_array_equal(model.mesh_vert, expected.mesh_vert)
    np.testing.assert_array_equal(model.body_inertia, expected.body_inertia)
    assert config.env.assets.keys() == {"parts/meshes/claw.obj"}


def test_meshes_that_touch_and_weigh_nothing_are_left_out_of_a_robot_that_is_too_large(caplog) -> None:
    """A real robot's file: looks in megabytes, hulls to touch with, inertia given."""
    generator = np.random.default_rng(0)
    Path("look.obj").write_text("".join(f"v {x} {y} {z}\n" for x, y, z in generator.normal(size=(20_000, 3))))
    Path("hull.obj").write_text(MESH)
    look = "<geom type='mesh' mesh='look' contype='0' conaffinity='0' material='grey'/>"
    text = inside(
        "<asset><material name='grey'/><mesh file='look.obj'/><mesh file='hull.obj' scale='.1 .1 .1'/></asset>"
    ).replace("<freejoint/>", f"<freejoint/><inertial pos='0 0 0' mass='2' diaginertia='1 1 1'/>{look}")
    text = text.replace('<geom name="shin"', '<geom type="mesh" mesh="hull"/><geom name="shin"')
    Path("robot.xml").write_text(text)
    config = hebbevo.load_config("quick-quadruped", ["env.name=mjcf", "env.file=robot.xml"])
    assert "left out 1 meshes that touch nothing" in caplog.text
    assert len(config.env.assets) == 1
    model, expected = config.env.compile("intact", trim=False), mujoco.MjModel.from_xml_path("robot.xml")
    assert (model.nmesh, expected.nmesh) == (1, 2)
    for name in ("body_mass", "body_inertia", "jnt_range", "actuator_gear", "qpos0", "dof_damping"):
        np.testing.assert_array_equal(getattr(model, name), getattr(expected, name))
    Path("robot.xml").write_text(text.replace(" contype='0'", ""))
    with pytest.raises(InputError, match="without what touches nothing; a genome holds 400,000"):
        hebbevo.load_config("quick-quadruped", ["env.name=mjcf", "env.file=robot.xml"])


def test_a_run_and_its_genome_need_the_file_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.yaml").write_text(
        "preset: quick-quadruped\nenv: {name: mjcf, file: walker.xml, steps: 5, burn_in: 0}\nnetwork: {hidden: [4]}\n"
        "search: {population: 4}\ntraining: {generations: 1}\nevaluation: {episodes: 1}\n"
    )
    Path("walker.xml").write_text(WALKER)
    assert app.run(["evolve", "my.yaml", "--out", "run", "--workers", "0"]) == 0
    Path("walker.xml").unlink()
    Path("elsewhere").mkdir()
    Path("run/center.safetensors").rename("elsewhere/genome")
    os.chdir("elsewhere")
    for command in (
        "evaluate genome --episodes 1 --morphology hip_limp",
        "generalize genome --episodes 1 --morphology intact --morphology leg_amputated --out bodies",
        "resume ../run --generations 2",
    ):
        assert app.run(command.split()) == 0, capsys.readouterr().err
    assert "leg_amputated" in Path("bodies/report.html").read_text()
    assert "without leg" in Path("bodies/report.html").read_text()
