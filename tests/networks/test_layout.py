"""Layouts, sharing and distributions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbevo.errors import FileError, RuleError
from hebbevo.networks.encodings import SHARINGS
from hebbevo.networks.layout import Layout, genome_layout, projection_coefficients, resolve_sharing
from hebbevo.networks.network_spec import NetworkSpec, multilayer_perceptron
from hebbevo.rules import Distribution, get
from hebbevo.rules.catalogue import PUBLISHED

PAPER = (28, 128, 64, 8)


def network_of(rule: str, sharing="synapse", sizes=PAPER, evolved_weights: bool = False) -> NetworkSpec:
    drawn = None if evolved_weights else Distribution.parse("uniform(-0.1, 0.1)")
    return multilayer_perceptron(get(rule), sizes, resolve_sharing(get(rule), sharing), initial_weights=drawn)


def layout_of(rule: str, sharing="synapse", sizes=PAPER, evolved_weights: bool = False) -> Layout:
    return genome_layout(network_of(rule, sharing, sizes, evolved_weights))


def test_sizes_of_the_paper() -> None:
    assert layout_of("ABCD_lr").size == 61_440
    assert layout_of("none", evolved_weights=True).size == 12_288
    assert layout_of("ABCD_lr", evolved_weights=True).size == 61_440 + 12_288
    assert layout_of("ABCD_lr", "post").size == 5 * (128 + 64 + 8)
    assert layout_of("ABCD_lr", "pre").size == 5 * (28 + 128 + 64)
    assert layout_of("ABCD_lr", "layer").size == 15
    assert layout_of("ABCD_lr", "network").size == 5
    assert layout_of("none").size == 0


def test_order_is_layer_by_layer() -> None:
    layout = layout_of("ABCD_lr", {"eta": "network", "B": "post"}, (3, 4, 2), evolved_weights=True)
    assert layout.names == (
        *(f"layer1.{name}" for name in ("A", "B", "C", "D", "weight")),
        *(f"layer2.{name}" for name in ("A", "B", "C", "D", "weight")),
        "network.eta",
    )
    assert [entry.shape for entry in layout.entries[:2]] == [(4, 3), (4, 1)]
    offsets = [entry.offset for entry in layout.entries]
    assert offsets == [0, *np.cumsum([entry.size for entry in layout.entries])[:-1]]


@given(
    st.sampled_from(PUBLISHED),
    st.lists(st.sampled_from(SHARINGS), min_size=6, max_size=6),
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.booleans(),
)
def test_split_and_join_are_inverse(rule: str, kinds: list[str], sizes: list[int], evolved: bool) -> None:
    network = network_of(rule, dict(zip(get(rule).coefficients, kinds, strict=False)), sizes, evolved)
    layout = genome_layout(network)
    genome = np.arange(layout.size, dtype=np.float32)
    arrays = layout.split(genome)
    assert tuple(arrays) == layout.names
    assert np.array_equal(layout.join(arrays), genome)
    several = layout.split(np.stack([genome, -genome]))
    assert all(np.array_equal(several[name], np.stack([a, -a])) for name, a in arrays.items())
    for projection in network.projections:
        for array in projection_coefficients(network, projection, arrays).values():
            np.broadcast_to(array, network.shape(projection))


def test_join_refuses_another_layout() -> None:
    layout = layout_of("hebb", sizes=(3, 2))
    arrays = layout.split(np.zeros(6, np.float32))
    with pytest.raises(FileError, match=r"lacks the array 'layer1\.eta'"):
        layout.join({})
    with pytest.raises(FileError, match=r"unknown array 'layer1\.A'"):
        layout.join({**arrays, "layer1.A": arrays["layer1.eta"]})
    with pytest.raises(FileError, match=r"shape \(3, 2\), expected \(2, 3\)"):
        layout.join({"layer1.eta": arrays["layer1.eta"].T})


def test_sharing_defaults() -> None:
    rule = get("ABC")
    assert resolve_sharing(rule, "pre") == {"A": "pre", "B": "pre", "C": "pre"}
    assert resolve_sharing(rule, {"A": "layer"}) == {"A": "layer", "B": "synapse", "C": "synapse"}
    assert resolve_sharing(rule, {"A": "layer", "default": "post"})["C"] == "post"
    assert resolve_sharing(get("none"), "synapse") == {}


@pytest.mark.parametrize(
    ("sharing", "message"),
    [
        ("synaps", "did you mean synapse"),
        ({"A": "posst"}, "did you mean post"),
        ({"A": "everybody at once"}, "known: synapse"),
        ({"E": "post"}, "the rule has A, B, C"),
        ("low_rank", r"sharing of default: low_rank\(r\) takes 1 number, got 0"),
        ("low_rank(a)", "whole numbers"),
        ("codebook(0)", "from 1 to 10000, got 0"),
        ("layer(3)", "layer takes 0 numbers, got 1"),
        ("neuron", "call it A_pre or A_post in the rule"),
    ],
)
def test_sharing_refused(sharing, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        resolve_sharing(get("ABC"), sharing)


def draw(text: str, size: int = 20_000) -> np.ndarray:
    out = np.full(size, np.nan, np.float32)
    Distribution.parse(text).fill(np.random.Generator(np.random.Philox(7)), out)
    return out


def test_distributions() -> None:
    uniform, normal = draw("uniform(-0.1, 0.3)"), draw(" normal( 2 , 0.5 ) ")
    assert -0.1 <= uniform.min() < -0.099
    assert 0.299 < uniform.max() <= 0.3
    assert uniform.mean() == pytest.approx(0.1, abs=4 * 0.4 / math.sqrt(12 * 20_000))
    assert normal.mean() == pytest.approx(2, abs=4 * 0.5 / math.sqrt(20_000))
    assert normal.std() == pytest.approx(0.5, rel=0.03)
    assert not draw("zeros").any()
    assert np.array_equal(draw("normal(0, 1)"), draw("normal(0,1)"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a distribution"),
        ("gauss(0, 1)", "not a distribution"),
        ("uniform(0)", "not a distribution"),
        ("uniform(a, b)", "not a distribution"),
        ("normal(0, 1) + 1", "not a distribution"),
        ("normal(0, nan)", "finite"),
        ("uniform(-inf, 0)", "finite"),
        ("uniform(1, 0)", "low <= high"),
        ("normal(0, -1)", "sd >= 0"),
        ("uniform(0, 1e39)", "below 1.7e"),
    ],
)
def test_distribution_refused(text: str, what: str) -> None:
    with pytest.raises(RuleError, match=what):
        Distribution.parse(text)
