"""Plasticity rules as equations: catalogue, compiler and kernels, sharing, genome layout and files."""

from hebbevo.rules.catalogue import PUBLISHED, RULES, get, parse
from hebbevo.rules.convolution import Convolution, EncoderSpec
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.errors import RuleError
from hebbevo.rules.genome_file import read_genome, write_genome
from hebbevo.rules.layout import SHARINGS, Layout, genome_layout, layer_coefficients, resolve_sharing
from hebbevo.rules.normalise import NORMALISERS, normalise
from hebbevo.rules.rule import Rule

__all__ = [
    "NORMALISERS",
    "PUBLISHED",
    "RULES",
    "SHARINGS",
    "Convolution",
    "Distribution",
    "EncoderSpec",
    "Layout",
    "Rule",
    "RuleError",
    "genome_layout",
    "get",
    "layer_coefficients",
    "normalise",
    "parse",
    "read_genome",
    "resolve_sharing",
    "write_genome",
]
