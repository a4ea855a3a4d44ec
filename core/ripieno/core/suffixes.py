"""Which suffix a file must have to hold what a step makes."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from .plan import Node, Ref


def suffix_of(path: Path | PurePosixPath) -> str:
    """The suffix that chooses the codec, in lower case; none of a folder."""
    if isinstance(path, Path) and path.is_dir():
        return ""
    return path.suffix.lower() if path.name != "{item}" else ""


def fitting_suffix(output: Node, nodes: Mapping[str, Node]) -> str:
    """The suffix that an output must have instead of its own; empty where its own is well."""
    if output.role != "output":
        return ""
    (ref,) = output.refs
    fitting = list(_fitting(ref, nodes))
    return fitting[0] if fitting and suffix_of(PurePosixPath(output.pattern)) not in fitting else ""


def cannot_hold(output: Node) -> str:
    """What to say of an output whose suffix does not fit."""
    return f"{output.pattern} cannot hold what {output.refs[0].node} makes with these settings"


def _fitting(made: Ref, nodes: Mapping[str, Node]) -> Iterator[str]:
    """Suffixes of files that can hold what a node makes; none where any of its kind can."""
    node = nodes[made.node]
    for one in node.configured.written_as if made.output == node.main else ():
        if one.startswith("."):
            yield one
        elif one in node.wires:
            # What a port takes of several steps is of one kind of file, or cannot be put together; it may take none.
            for first in node.wires[one].refs[:1]:
                yield from _fitting(first, nodes)
