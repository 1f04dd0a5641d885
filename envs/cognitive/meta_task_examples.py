"""Tasks of the literature as specifications; the ones written by hand do the same.

| name | in a lifetime | a trial |
|---|---|---|
| `bandit` | arms pay with p0 and 1 - p0 | one pull |
| `harlow` | one of two new objects is right | objects in a random order, a side is picked, which pays or not |
| `t_maze` | one of two ends is the high one | home, a turn, an end |
| `two_step` | one of two states pays | a choice, and the state that it mostly leads to |
"""

from __future__ import annotations

from typing import Final

from hebbevo.envs.cognitive.meta_task import MetaTask, RewardRule

EXAMPLES: Final = {
    "bandit": MetaTask(
        stimuli=(0,),
        transitions=(((1.0,), (1.0,)),),
        rewards=(RewardRule(action=0, probability="p0"), RewardRule(action=1, probability="1-p0")),
    ),
    "harlow": MetaTask(
        # 1: object A is on the left; 2: on the right; 3: A was picked; 4: B was picked
        stimuli=(0, "v0", "v1", None, None),
        transitions=(
            ((0, 0.5, 0.5, 0, 0), (0, 0.5, 0.5, 0, 0)),
            ((0, 0, 0, 1, 0), (0, 0, 0, 0, 1)),
            ((0, 0, 0, 0, 1), (0, 0, 0, 1, 0)),
            ((1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
            ((1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
        ),
        variables=((3, 4),),
        rewards=(RewardRule(old=3, value=-1), RewardRule(old=4, value=-1), RewardRule(old="s0")),
    ),
    "t_maze": MetaTask(
        # 0: home; 1: the turn; 2: the left end; 3: the right end
        stimuli=(0, 1, 2, 2),
        transitions=(
            ((0, 1, 0, 0), (0, 1, 0, 0)),
            ((0, 0, 1, 0), (0, 0, 0, 1)),
            ((1, 0, 0, 0), (1, 0, 0, 0)),
            ((1, 0, 0, 0), (1, 0, 0, 0)),
        ),
        variables=((2, 3),),
        rewards=(RewardRule(old=2, value=0.2), RewardRule(old=3, value=0.2), RewardRule(old="s0")),
    ),
    "two_step": MetaTask(
        stimuli=(0, 1, 2),
        transitions=(
            ((0, 0.9, 0.1), (0, 0.1, 0.9)),
            ((1, 0, 0), (1, 0, 0)),
            ((1, 0, 0), (1, 0, 0)),
        ),
        variables=((1, 2),),
        rewards=(
            RewardRule(old=1, probability=0.1),
            RewardRule(old=2, probability=0.1),
            RewardRule(old="s0", probability=0.9),
        ),
    ),
}
