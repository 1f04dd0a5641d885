"""Rules that merge: k-means against its laws, nothing lost where rules are few, exact resumes, ties that hold."""

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from hebbevo.errors import SearchError
from hebbevo.execution.threads import InProcess
from hebbevo.search import OpenAIESConfig, Searcher, SNESConfig
from hebbevo.search.clusters import k_means, means
from hebbevo.search.merging import LABELS, MergeSchedule, MergingSearch

SYNAPSES, NUMBERS, OTHERS = 60, 3, 5
DIMENSION = SYNAPSES * NUMBERS + OTHERS
BUNDLES = np.arange(OTHERS, DIMENSION).reshape(NUMBERS, SYNAPSES).T


def merging(
    center: NDArray[np.float32], to: int, every: int = 2, optimizer: str = "adam", seed: int = 3
) -> MergingSearch:
    search = OpenAIESConfig(population=8, optimizer=optimizer).build(center, seed)
    return MergingSearch(search, BUNDLES, MergeSchedule(to, every), seed)


def run(searcher: Searcher, generations: int) -> None:
    executor = InProcess(lambda: None, threads=1)
    for _ in range(generations):
        proposals = searcher.ask()
        genomes = proposals.genomes(range(8)).astype(float)
        searcher.tell(proposals, -np.square(genomes - 1).sum(axis=1), executor)
    executor.close()


def drawn(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)


def test_clusters_end_where_a_step_of_lloyd_moves_nothing() -> None:
    points = np.random.default_rng(1).normal(size=(200, 2)) * (1, 50)
    labels = k_means(points, 5, np.random.default_rng(2))
    scaled = points / points.std(axis=0)
    centers = np.array([scaled[labels == cluster].mean(axis=0) for cluster in range(5)])
    distances = np.square(scaled[:, None] - centers).sum(axis=2)
    assert np.mean(distances.argmin(axis=1) == labels) > 0.97, "at most 20 iterations"
    np.testing.assert_allclose(means(scaled, labels), centers)
    others = (kmeans2(scaled, 5, seed=seed, minit="++") for seed in range(9))
    best = min(np.square(scaled - found[nearest]).sum() for found, nearest in others)
    assert np.square(scaled - centers[labels]).sum() < 1.2 * best


def test_rules_that_are_as_many_as_there_may_be_lose_nothing() -> None:
    generator, center = np.random.default_rng(4), drawn()
    rules = 10 * generator.permuted(np.arange(7)).astype(np.float32)[:, None] + generator.normal(
        size=(7, NUMBERS)
    ).astype(np.float32)
    center[BUNDLES] = rules[generator.integers(0, 7, SYNAPSES)]
    for seed in range(20):
        labels = k_means(center[BUNDLES].astype(float), 7, np.random.default_rng(seed))
        np.testing.assert_array_equal(means(center[BUNDLES].astype(float), labels)[labels], center[BUNDLES])


def test_every_merge_halves_the_rules_until_so_many_are_left() -> None:
    searcher, counts = merging(drawn(), to=4), []
    for _ in range(12):
        run(searcher, 1)
        counts.append(searcher.diagnostics()["rules"])
    assert counts == [60, 30, 30, 15, 15, 8, 8, 4, 4, 4, 4, 4]
    center = searcher.center
    assert len(np.unique(center[BUNDLES], axis=0)) == 4
    assert len(np.unique(center)) == OTHERS + 4 * NUMBERS


def test_all_proposals_share_their_rules_and_cover_them() -> None:
    searcher = merging(drawn(), to=4)
    run(searcher, 8)
    proposals = searcher.ask()
    genomes = proposals.genomes(range(8))
    labels = searcher.state_dict()[LABELS]
    for genome in genomes:
        for rule in range(4):
            assert len(np.unique(genome[BUNDLES[labels == rule]], axis=0)) == 1
    assert len(np.unique(genomes, axis=0)) == proposals.population == 8
    copy = pickle.loads(pickle.dumps(proposals))
    np.testing.assert_array_equal(copy.genomes([5, 2]), genomes[[5, 2]])
    np.testing.assert_allclose((genomes[0] + genomes[1]) / 2, searcher.center, atol=1e-6)


def test_one_rule_is_the_mean_of_all() -> None:
    searcher = merging(drawn(), to=1, every=1)
    before = searcher.center.copy()
    run(searcher, 1)
    while searcher.rules > 1:
        before = searcher.center.copy()
        run(searcher, 1)
    assert len(np.unique(searcher.center[BUNDLES], axis=0)) == 1
    assert not np.array_equal(searcher.center, before)


def test_before_the_first_merge_it_is_the_plain_search() -> None:
    plain = OpenAIESConfig(population=8, optimizer="adam").build(drawn(), 3)
    searcher = merging(drawn(), to=4, every=5)
    run(plain, 4)
    run(searcher, 4)
    np.testing.assert_array_equal(searcher.center, plain.center)
    np.testing.assert_array_equal(searcher.ask().genomes(range(8)), plain.ask().genomes(range(8)))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 7])
def test_resume_is_exact_at_any_generation(optimizer: str, at: int) -> None:
    straight, stopped, resumed = (merging(drawn(), 4, optimizer=optimizer) for _ in range(3))
    run(straight, 9)
    run(stopped, at)
    resumed.load_state_dict({name: np.array(array) for name, array in stopped.state_dict().items()})
    assert resumed.generation == at
    np.testing.assert_array_equal(resumed.center, stopped.center)
    run(resumed, 9 - at)
    for name, array in straight.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array)


def test_what_cannot_be_merged_is_refused() -> None:
    searcher = merging(drawn(), 4)
    state = searcher.state_dict()
    wrong = np.full(SYNAPSES, -1), np.full(SYNAPSES, 7), np.zeros(3, np.int64), np.zeros(0)
    for labels in wrong:
        with pytest.raises(SearchError, match=r"merging\.labels"):
            searcher.load_state_dict({**state, LABELS: labels})
    plain = SNESConfig(population=8).build(drawn(), 3)
    with pytest.raises(SearchError, match="another number"):
        plain.moved(drawn())
