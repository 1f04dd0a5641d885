"""The learning tasks again, one lifetime at a time, in plain Python from their definitions; for tests only.

A world has `observation`, `step(action) -> reward`, `ended`, and `trial`, `phase`, `optimal` of the last step. It reads
uniform numbers from NumPy's generator of the environment stream, in the order that the world's `_begin` documents.
"""

import math
from collections import deque

import numpy as np

from hebbevo.envs.base import environment_stream


def uniforms(seed, count):
    return [float(number) for number in environment_stream(seed).random(count)]


def chosen(action):
    return max(range(len(action)), key=lambda i: (action[i], -i))


def walk(numbers, low, high, sd):
    """A Gaussian walk, one bounce at a time; the walker who bounces turns round, and with him every later step."""
    place, heading, places = low + (high - low) * numbers[0], 1, []
    for t in range(len(numbers) // 2):
        if t:
            size = math.sqrt(-2 * math.log(1 - numbers[2 * t]))
            place += heading * sd * size * math.cos(2 * math.pi * numbers[2 * t + 1])
        while not low <= place <= high:
            place, heading = 2 * (low if place < low else high) - place, -heading
        places.append(place)
    return places


class World:
    trial = phase = 0
    optimal = -1
    ended = False


class SlowAssociation(World):
    def __init__(self, config, seed, task):
        generator = environment_stream(seed)
        self.answers = generator.integers(0, 2, config.stimuli)
        blocks = np.tile(np.arange(config.stimuli), (math.ceil(config.steps / config.stimuli), 1))
        self.order = np.concatenate(generator.permuted(blocks, axis=1)).tolist()
        self.config, self.t = config, 0

    @property
    def observation(self):
        return [float(i == self.order[self.t]) for i in range(self.config.stimuli)]

    def step(self, action):
        right = chosen(action) == self.answers[self.order[self.t]]
        self.trial, self.optimal = self.t // self.config.stimuli, int(right)
        self.t += 1
        self.ended = self.t == self.config.steps
        return 1.0 if right else -1.0


class SlowBandit(World):
    observation = (1.0,)

    def __init__(self, config, seed, task):
        pulls, arms = config.steps, config.arms
        drawn = uniforms(seed, pulls + 2 * pulls * arms)
        self.outcomes, rest = drawn[:pulls], drawn[pulls:]
        self.config, self.t, self.phases = config, 0, [0] * pulls
        of_arm = [rest[2 * pulls * arm : 2 * pulls * (arm + 1)] for arm in range(arms)]
        if config.schedule == "dependent":
            self.pays = [[rest[0], 1 - rest[0]]] * pulls
        elif config.schedule == "independent":
            self.pays = [[numbers[0] for numbers in of_arm]] * pulls
        elif config.schedule == "drifting":
            walks = [walk(numbers, config.bad, config.good, config.drift) for numbers in of_arm]
            self.pays = [list(row) for row in zip(*walks, strict=True)]
        else:
            good, self.pays, changes = int(rest[0] * arms), [], 0
            for t in range(pulls):
                if t and rest[2 * t] < config.hazard:
                    others = [(good + i) % arms for i in range(1, arms)]
                    good, changes = others[int(rest[2 * t + 1] * len(others))], changes + 1
                self.phases[t] = changes
                self.pays.append([config.good if arm == good else config.bad for arm in range(arms)])

    def step(self, action):
        pays = self.pays[self.t]
        arm, self.trial, self.phase = chosen(action), self.t, self.phases[self.t]
        self.optimal = int(pays[arm] == max(pays))
        reward = float(self.outcomes[self.t] < pays[arm])
        self.t += 1
        self.ended = self.t == self.config.steps
        return reward


class SlowHarlow(World):
    def __init__(self, config, seed, task):
        drawn = iter(uniforms(seed, 2 * config.pairs + config.steps))
        patterns = 2**config.features
        right = [int(next(drawn) * patterns) for _ in range(config.pairs)]
        self.pairs = [(one, (one + 1 + int(next(drawn) * (patterns - 1))) % patterns) for one in right]
        self.sides = [int(next(drawn) * 2) for _ in range(config.steps)]
        self.config, self.t = config, 0

    @property
    def observation(self):
        right, other = self.pairs[self.t // self.config.trials_per_pair]
        shown = (other, right) if self.sides[self.t] else (right, other)
        return [
            1.0 if pattern // 2**i % 2 else -1.0 for pattern in shown for i in range(self.config.features)
        ]

    def step(self, action):
        right = chosen(action) == self.sides[self.t]
        self.trial, self.phase, self.optimal = self.t, self.t // self.config.trials_per_pair, int(right)
        self.t += 1
        self.ended = self.t == self.config.steps
        return 1.0 if right else -1.0


class SlowTwoStep(World):
    def __init__(self, config, seed, task):
        trials = config.trials
        drawn = uniforms(seed, 10 * trials)
        self.luck, rest = drawn[: 2 * trials], drawn[2 * trials :]
        self.config, self.state, self.t, self.phases = config, 0, 0, [0] * trials
        if config.schedule == "daw":
            arms = [rest[2 * trials * i : 2 * trials * (i + 1)] for i in range(4)]
            walks = [walk(numbers, config.bad, config.good, config.drift) for numbers in arms]
            self.pays = [{1: (a, b), 2: (c, d)} for a, b, c, d in zip(*walks, strict=True)]
        else:
            good, swaps, self.pays = 1 + int(rest[0] * 2), 0, []
            for t in range(trials):
                if t and rest[2 * t] < config.hazard:
                    good, swaps = 3 - good, swaps + 1
                self.phases[t] = swaps
                self.pays.append({s: (config.good if s == good else config.bad,) * 2 for s in (1, 2)})

    @property
    def observation(self):
        return [float(self.state == i) for i in range(3)]

    def step(self, action):
        way, pays = chosen(action), self.pays[self.t]
        self.trial, self.phase = self.t, self.phases[self.t]
        if self.state == 0:
            own, other = 1 + way, 2 - way
            self.optimal = int(max(pays[own]) >= max(pays[other]))
            self.state = own if self.luck[2 * self.t] < self.config.common else other
            return 0.0
        paid = pays[self.state][way]
        self.optimal = int(paid == max(pays[self.state])) if self.config.schedule == "daw" else -1
        reward = float(self.luck[2 * self.t + 1] < paid)
        self.state, self.t = 0, self.t + 1
        self.ended = self.t == self.config.trials
        return reward


class SlowMaze(World):
    def __init__(self, config, seed, task):
        n = config.size
        self.config, self.t, self.middle = config, 0, (n // 2, n // 2)
        inside = [(r, c) for r in range(1, n - 1) for c in range(1, n - 1)]
        self.free = [(r, c) for r, c in inside if r % 2 or c % 2 or (r, c) == self.middle]
        drawn = uniforms(seed, 1 + config.steps)
        places = [cell for cell in self.free if cell != self.middle]
        self.goal, self.landing = places[int(drawn[0] * len(places))], drawn[1:]
        self.place, self.found, self.far = self.middle, False, self.distances()

    def distances(self):
        far, queue = {self.goal: 0}, deque([self.goal])
        while queue:
            r, c = queue.popleft()
            for cell in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if cell in self.free and cell not in far:
                    far[cell] = far[r, c] + 1
                    queue.append(cell)
        return far

    @property
    def observation(self):
        r, c = self.place
        seen = [float((r + i, c + j) not in self.free) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        return seen + ([self.t / self.config.steps] if self.config.clock else [])

    def step(self, action):
        r, c = self.place
        there = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)][chosen(action)]
        self.trial += self.found
        self.phase, reward = int(self.trial > 0), 0.0
        self.optimal = int(there in self.free and self.far[there] < self.far[self.place])
        self.found = there == self.goal
        if self.found:
            others = [cell for cell in self.free if cell != self.goal]
            there, reward = others[int(self.landing[self.t] * len(others))], 10.0
        elif there not in self.free:
            there, reward = self.place, self.config.bump
        self.place, self.t = there, self.t + 1
        self.ended = self.t == self.config.steps
        return reward


class SlowTMaze(World):
    def __init__(self, config, seed, task):
        self.config, self.trip, self.high = config, 0, []
        drawn, depth = uniforms(seed, 1 + 2 * config.switches), 2 if config.double else 1
        self.ends, period = 2**depth, config.trips / (config.switches + 1)
        at = [
            round(period * (i + 1 + (2 * drawn[1 + 2 * i] - 1) * config.jitter))
            for i in range(config.switches)
        ]
        for trip in range(config.trips):
            turns = [
                1 + int(drawn[2 + 2 * i] * (self.ends - 1)) for i in range(config.switches) if trip >= at[i]
            ]
            self.high.append(((int(drawn[0] * self.ends) + sum(turns)) % self.ends, len(turns)))
        hall = ["hall"] * config.passage
        self.route = ["home", *hall, *["turn", *hall] * depth, "end"]
        if config.homing:
            self.route += [*hall, "back"] * depth + hall
        self.start()

    def start(self):
        self.place, self.turns = 0, []

    @property
    def end(self):
        return sum(right << i for i, right in enumerate(reversed(self.turns)))

    @property
    def pays(self):
        return self.config.high if self.end == self.high[self.trip][0] else self.config.low

    @property
    def observation(self):
        here = self.route[self.place]
        shown = np.float32(self.pays) if here == "end" else 0.0
        return [float(here == "home"), float(here in ("turn", "back")), float(here == "end"), shown]

    def step(self, action):
        here, way = self.route[self.place], "straight"
        if abs(action[0]) > 1 / 3:
            way = "right" if action[0] > 0 else "left"
        (_, self.phase), self.trial, self.optimal, reward = self.high[self.trip], self.trip, -1, 0.0
        going_back, crashed = self.place > self.route.index("end"), False
        if here == "turn":
            crashed = way == "straight"
            self.turns.append(way == "right")
        elif here == "back":
            done = self.route[: self.place].count("back")
            crashed = way != ("left" if self.turns[-1 - done] else "right")
        elif here == "end":
            reward, self.optimal = self.pays, int(self.pays == self.config.high)
        else:
            crashed = way != "straight"
        if crashed:
            reward, self.optimal = self.config.failed_return if going_back else self.config.crash, 0
        self.place += 1
        if crashed or self.place == len(self.route):
            self.trip += 1
            self.start()
            self.ended = self.trip == self.config.trips
        return reward


PARTS = {
    "short": "12rf",
    "published": "1" * 8 + "__" + "2" * 8 + "_" * 7 + "r" * 10 + "_" + "f" * 10 + "_" * 4,
}
TABLES = {
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "nand": lambda a, b: not (a and b),
    "nor": lambda a, b: not (a or b),
    "first": lambda a, b: a,
    "second": lambda a, b: b,
    "not_first": lambda a, b: not a,
    "not_second": lambda a, b: not b,
    "first_not_second": lambda a, b: a and not b,
    "second_not_first": lambda a, b: b and not a,
    "first_or_not_second": lambda a, b: a or not b,
    "second_or_not_first": lambda a, b: b or not a,
    "dms": lambda a, b: a == b,
    "dnms": lambda a, b: a != b,
}


def column(name):
    """The column of a truth table, which functions are sorted by."""
    return [bool(TABLES[name](a, b)) for a in (0, 1) for b in (0, 1)]


class SlowBoolean(World):
    def __init__(self, config, seed, task):
        drawn = uniforms(seed, 1 + config.trials)
        train = [name for name in sorted(TABLES, key=column) if name not in ("dms", "dnms")]
        names = {"train": train, "test": ["dms", "dnms"]}.get(task, [task])
        self.function = TABLES[names[int(drawn[0] * len(names))]]
        self.stimuli = [divmod(int(number * 4), 2) for number in drawn[1:]]
        self.parts, self.t, self.config = PARTS[config.timing], 0, config
        self.heard, self.answer, self.right = 0.0, 0, False

    @property
    def observation(self):
        part = self.parts[self.t % len(self.parts)]
        bits = dict(zip("12", self.stimuli[self.t // len(self.parts)], strict=True))
        stimulus = 2.0 * bits[part] - 1 if part in bits else 0.0
        fed = part == "f"
        given = [float(fed and self.answer == i) for i in (0, 1)]
        return [stimulus, -stimulus, float(part == "r"), *given, (2.0 * self.right - 1) * fed]

    def step(self, action):
        at, self.optimal, reward = self.t % len(self.parts), -1, 0.0
        self.trial = self.t // len(self.parts)
        if self.parts[at] == "r":
            self.heard += float(action[1]) - float(action[0])
            if at == self.parts.rindex("r"):
                self.answer, self.heard = int(self.heard > 0), 0.0
                self.right = bool(self.answer) == bool(self.function(*self.stimuli[self.trial]))
                self.optimal, reward = int(self.right), 2.0 * self.right - 1
        self.t += 1
        self.ended = self.t == len(self.parts) * self.config.trials
        return reward


class SlowSeasons(World):
    def __init__(self, config, seed, task):
        drawn, self.config = iter(uniforms(seed, config.seasons * config.foods + config.meals)), config

        def order():
            numbers = [next(drawn) for _ in range(config.foods)]
            return sorted(range(config.foods), key=lambda food: numbers[food])

        self.poison = [[place < config.foods // 2 for place in order()] for _ in range(config.seasons)]
        days = config.years * config.seasons * config.days
        self.plan = [
            (day, day // config.days, food, shown)
            for day in range(days)
            for food in order()
            for shown in (1, 2)
        ]
        self.t = 0

    @property
    def observation(self):
        _, season, food, shown = self.plan[self.t]
        season %= self.config.seasons
        seen = [0.0] * (self.config.seasons * self.config.foods + 2)
        seen[season * self.config.foods + food] = 1.0
        if shown == 2:
            seen[-1 if self.poison[season][food] else -2] = 1.0
        return seen

    def step(self, action):
        self.trial, self.phase, food, shown = self.plan[self.t]
        self.optimal, reward = -1, 0.0
        if shown == 1:
            right = bool(chosen(action)) != self.poison[self.phase % self.config.seasons][food]
            self.optimal, reward = int(right), 1.0 if right else -1.0
        self.t += 1
        self.ended = self.t == len(self.plan)
        return reward
