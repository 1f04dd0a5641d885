"""What a wrong value of a key is answered with."""

import pytest

from hebbevo.config.loading import load_config
from hebbevo.errors import InputError


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{w: 3}", r"plasticity\.rule\.w: input should be a valid string, got 3"),
        ("{weight: '0.95*w + eta*D', blind: true}", r"plasticity\.rule\.blind: input .* string, got True"),
        ("{w: {equation: 'w + A*pre', axis: [1]}}", r"plasticity\.rule\.w\.axis: input .* string, got \[1\]"),
    ],
)
def test_a_value_of_several_types_is_named_by_its_key_alone(rule: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        load_config("quick-quadruped", [f"plasticity.rule={rule}"])
