"""Puts the binary into the wheel, and names the platform that it runs on."""

import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags


class CarriesTheBinary(BuildHookInterface):
    """Of a wheel: the program goes where Python puts scripts, so that it is on the path.

    ``SPANPROOF_BINARY`` names the program, by default what ``cargo build --release`` makes.
    ``SPANPROOF_PLATFORM`` names the platform, by default the narrowest one that this machine is: on
    Linux the ``manylinux`` tag of its C library, which is no older than what a program linked here
    may ask for.
    """

    def initialize(self, version, build_data):
        if version == "editable" or self.target_name != "wheel":
            return
        repository = Path(self.root).parents[1]
        binary = Path(os.environ.get("SPANPROOF_BINARY") or repository / "target/release/spanproof")
        if not binary.is_file():
            raise FileNotFoundError(
                f"no binary at {binary}: build it with `cargo build --release -p spanproof`, "
                "or name one in SPANPROOF_BINARY"
            )
        build_data["tag"] = f"py3-none-{os.environ.get('SPANPROOF_PLATFORM') or narrowest_platform()}"
        build_data["shared_scripts"][str(binary)] = f"spanproof{binary.suffix}"
        for text in ("LICENSE", "NOTICE"):
            build_data["force_include"][str(repository / text)] = f"spanproof/{text}"


def narrowest_platform():
    """The tag of this machine that says most: of ``linux_x86_64`` and the like, which no index takes,
    one that also names the C library."""
    tags = list(platform_tags())
    return next((tag for tag in tags if not tag.startswith("linux_")), tags[0])
