"""A config of every registered environment."""

from __future__ import annotations

from typing import Any

from hebbevo.envs import EnvConfig, config_class

WALKER = """
<mujoco>
  <option timestep="0.008"/>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 1"/>
    <body name="torso" pos="0 0 0.5">
      <freejoint/>
      <geom type="box" size="0.2 0.1 0.05"/>
      <body name="leg">
        <joint name="hip" axis="0 1 0" range="-40 40"/>
        <geom name="shin" type="capsule" fromto="0 0 0 0 0 -0.4" size="0.04"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="hip" gear="5" ctrlrange="-1 1"/></actuator>
</mujoco>
"""

EXAMPLES: dict[str, dict[str, Any]] = {
    "mjcf": {"name": "mjcf", "mjcf": WALKER},
    "gymnasium:ID": {"name": "gymnasium:CartPole-v1"},
    "t_maze": {"name": "t_maze", "passage": 0},  # short enough for a random walker to arrive
}


def example(name: str) -> EnvConfig:
    """Return a config of the environment of this name, as small as it can be."""
    return config_class(name)(**EXAMPLES.get(name, {"name": name}))
