"""Blocks' names for people."""


def name_block(name: str) -> str:
    """`layer1.0` -> Stage 1, block 1; `layer1.0.depthwise` -> Stage 1, block 1, depthwise."""
    stage, position, *unit = name.removeprefix("layer").split(".")
    return ", ".join((f"Stage {stage}, block {int(position) + 1}", *unit))
