"""A meta-task one lifetime at a time, read rule by rule from its specification; for tests only."""

import functools

from slow_worlds import World, chosen, uniforms


class SlowGenerated(World):
    def __init__(self, config, seed, task):
        drawn = uniforms(seed, 8 + 2 * config.steps)
        members = config.specifications_of(task)
        self.given = members[int(drawn[0] * len(members))]
        variants = [()]
        for values in self.given.variables:
            variants = [(*variant, value) for variant in variants for value in values]
        variant = variants[int(drawn[1] * len(variants))]
        self.named = {f"s{i}": value for i, value in enumerate(variant)}
        self.chances = {"p0": drawn[2], "p1": drawn[3], "1-p0": 1 - drawn[2], "1-p1": 1 - drawn[3]}
        order = sorted(range(4), key=lambda i: drawn[4 + i])
        self.seen = {f"v{i}": 3 + order[i] for i in range(4)}
        self.luck, self.config, self.t, self.done = drawn[8:], config, 0, 0
        self.worth = functools.cache(self._worth)
        self.begin()

    def begin(self):
        self.state = self.flag = self.steps = 0

    @property
    def observation(self):
        shown = self.given.stimuli[self.state]
        return [float(i == self.seen.get(shown, shown)) for i in range(7)]

    def fits(self, rule, old, action, new):
        asked = [(rule.action, action), (self.named.get(rule.old, rule.old), old)]
        asked.append((self.named.get(rule.new, rule.new), new))
        return all(wanted is None or wanted == found for wanted, found in asked)

    def pays(self, old, action, new, flag):
        """Chance and value of the reward of a step, and the flag after it."""
        chance = value = 0.0
        for rule in self.given.rewards:
            if self.fits(rule, old, action, new) and rule.flag in (None, flag):
                chance, value = self.chances.get(rule.probability, rule.probability), rule.value
        for rule in self.given.flags:
            if self.fits(rule, old, action, new):
                flag = rule.set
        return chance, value, flag

    def _worth(self, state, flag, left):
        """Expected reward of the rest of a trial after each action."""
        totals = []
        for action in range(2):
            total = 0.0
            for new, share in enumerate(self.given.transitions[state][action]):
                chance, value, after = self.pays(state, action, new, flag)
                total += share * chance * value
                if share and new and left > 1:
                    total += share * max(self.worth(new, after, left - 1))
            totals.append(total)
        return totals

    def step(self, action):
        worth = self.worth(self.state, self.flag, min(20 - self.steps, self.config.steps - self.t))
        tie = abs(worth[0] - worth[1]) < 1e-9
        self.optimal = -1 if tie else int(worth[chosen(action)] == max(worth))
        act, luck, below, new = chosen(action), self.luck[2 * self.t], 0.0, None
        for state, share in enumerate(self.given.transitions[self.state][act]):
            if share and (new is None or luck >= below):
                new = state
            below += share
        chance, value, self.flag = self.pays(self.state, act, new, self.flag)
        reward = value if self.luck[2 * self.t + 1] < chance else 0.0
        self.trial, self.state, self.steps, self.t = self.done, new, self.steps + 1, self.t + 1
        if new == 0 or self.steps == 20:
            self.begin()
            self.done += 1
        self.ended = self.done == self.config.trials or self.t == self.config.steps
        return reward
