"""How large a robot's file may be, apart from the code that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MOST_PACKED: Final = 400_000
"""Characters of a robot with its assets: a genome's header holds it."""
MOST_ASSET_BYTES: Final = 16 << 20
"""Bytes of all assets, unpacked."""
MOST_READ_BYTES: Final = 128 << 20
"""Bytes of all files that a robot's own names."""
MOST_ELEMENTS: Final = 5000
MOST_LEVELS: Final = 100
MOST_PIXELS: Final = 4096
"""Width and height of a picture."""

REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "include": "a robot's text is whole; name the file with env.file, which puts its parts together",
        "plugin": "plugins are code outside the file; leave it out",
        "extension": "plugins are code outside the file; leave it out",
        "attach": "other models are outside the file; write out what it attaches",
        "model": "other models are outside the file; write out what it attaches",
        "replicate": "write out the copies",
        "composite": "write out its bodies",
        "flexcomp": "soft bodies are not simulated; leave it out",
        "flex": "soft bodies are not simulated; leave it out",
        "skin": "skins are not drawn; leave it out",
    }
)
"""Elements that a robot's text cannot have, and what to do about each."""

LARGEST: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("iterations", "ls_iterations", "noslip_iterations", "ccd_iterations"), 10_000),
        **dict.fromkeys(("sdf_iterations", "sdf_initpoints"), 1000),
        **dict.fromkeys(("nrow", "ncol"), 1000),
        **dict.fromkeys(("width", "height", "offwidth", "offheight"), MOST_PIXELS),
        "shadowsize": 8192,
        **dict.fromkeys(("dim", "num", "nsample", "actdim", "maxhullvert", "offsamples"), 1000),
        **dict.fromkeys(("params", "numslices", "numstacks", "numquads"), 100),
    }
)
"""The largest number that an attribute may hold."""

LARGEST_OF: Final[Mapping[tuple[str, str], int]] = MappingProxyType(
    {
        ("numeric", "size"): 1000,
        ("texture", "height"): 6 * MOST_PIXELS,  # of a sky that MuJoCo has saved: six squares
    }
)
"""The same of an attribute of one element."""
