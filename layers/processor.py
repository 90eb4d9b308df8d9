"""Which processor a layer is built for, and whether what was built is for that one.

    python processor.py asked ARTIFACTS_DIR LAYER    prints x86_64 or arm64, or fails where that is not certain
    python processor.py check ARTIFACTS_DIR x86_64   fails where a library is for another one

`sam build` writes what the template asks for (`BuildArchitecture`, the parameter `Architecture`) to `build.toml` beside
the folder of what it builds, before it builds anything, and tells the Makefile in no other way; where it builds one
resource alone it writes nothing, so that `LAYER_ARCHITECTURE` has to say it.
"""

import os
import struct
import sys
import tomllib
from pathlib import Path

# ELF specification, "e_machine": EM_X86_64 and EM_AARCH64.
_MACHINES = {62: "x86_64", 183: "arm64"}
_MACHINE_OFFSET = 18
_MAGIC = b"\x7fELF"


def asked(artifacts: Path, layer: str) -> str:
    """Return the processor that the template asks for, which `LAYER_ARCHITECTURE` may repeat but not contradict."""
    said = os.environ.get("LAYER_ARCHITECTURE", "")
    graph = artifacts.parent.parent / "build.toml"
    definitions = tomllib.loads(graph.read_text("utf-8")) if graph.is_file() else {}
    found = {
        one["architecture"]
        for one in definitions.get("layer_build_definitions", {}).values()
        if one.get("layer") == layer
    }
    wanted = found | ({said} if said else set())
    if len(wanted) > 1:
        sys.exit(f"{layer}: LAYER_ARCHITECTURE is {said}, and the template asks for {', '.join(sorted(found))}")
    if not wanted:
        sys.exit(f"{layer}: sam build does not say for which processor; set LAYER_ARCHITECTURE to x86_64 or arm64")
    (only,) = wanted
    if only not in _MACHINES.values():
        sys.exit(f"{layer}: no such processor: {only}")
    return only


def check(artifacts: Path, processor: str) -> None:
    """Fail where a library is for another processor, and name it."""
    others = []
    for file in sorted(each for each in artifacts.rglob("*") if each.is_file()):
        with file.open("rb") as content:
            head = content.read(_MACHINE_OFFSET + 2)
        if head.startswith(_MAGIC):
            (machine,) = struct.unpack_from("<H", head, _MACHINE_OFFSET)
            if _MACHINES.get(machine) != processor:
                others.append(f"{file.relative_to(artifacts)} is for {_MACHINES.get(machine, machine)}")
    if others:
        sys.exit(f"the layer is for {processor}, but {'; '.join(others)}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["asked", folder, name]:
            sys.stdout.write(asked(Path(folder), name))
        case ["check", folder, name]:
            check(Path(folder), name)
        case _:
            sys.exit(__doc__)
