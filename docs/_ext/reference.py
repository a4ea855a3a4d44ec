"""The parts of pages that are written by the code they are about.

``<!-- reference: NAME ARGUMENTS -->`` in a page stands for the Markdown that the function of that name
gives, so tables of keys, ports, options and classes cannot differ from what runs.
"""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.ext.napoleon import NumpyDocstring

from ripieno import contracts
from ripieno.contracts.hooks import EVENTS
from ripieno.contracts.interfaces import INTERFACES, Augmenter, Codec, FrameDecoder, FrameEffect
from ripieno.contracts.plugin import Plugin
from ripieno.contracts.ports import signature
from ripieno.contracts.slow_state import contract
from ripieno.core.cli import COMMANDS, core
from ripieno.core.graph import svg
from ripieno.core.live import client
from ripieno.core.manifest import graph_of
from ripieno.core.pipeline import Pipeline, schema
from ripieno.core.planner import make_plan
from ripieno.registry import Descriptor, Registry

MARK = re.compile(r"^<!-- reference: (\w+)(.*?) -->$", re.MULTILINE)
OURS = "ripieno"


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""

    def expand(app: Sphinx, page: str, source: list[str]) -> None:
        def written(mark: re.Match[str]) -> str:
            return "\n".join(PARTS[mark[1]](app, *mark[2].split()))

        source[0] = MARK.sub(written, source[0])

    app.connect("source-read", expand)
    # Pages depend on the whole workspace: they are read anew in each build.
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: sorted(env.found_docs))
    return {"parallel_read_safe": True}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; empty where there are no rows."""
    rows = list(rows)
    if not rows:
        return
    yield from ("", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def code(text: str) -> str:
    """As code, nothing where there is nothing."""
    return f"`{text}`" if text else ""


def rst(lines: Iterable[str]) -> Iterator[str]:
    """Lines of reStructuredText in a Markdown page."""
    yield from ("", "```{eval-rst}", *lines, "```", "")


@cache
def registry() -> Registry:
    """What is installed, with a cache of this build alone."""
    return Registry(cache=Path(mkdtemp(prefix="ripieno-docs-")))


def pipeline_keys(app: Sphinx) -> Iterator[str]:
    """A table for each object in a pipeline file."""
    yield from _keys(schema(), "The file")


def _keys(node: Mapping[str, Any], title: str) -> Iterator[str]:
    required = node.get("required", ())
    yield from ("", f"### {title}", "", node["description"])
    yield from table(
        ("key", "type", "default", ""),
        (
            (
                code(key),
                type_of(value),
                "**required**" if key in required else default_of(value),
                value["description"],
            )
            for key, value in node["properties"].items()
        ),
    )
    for key, value in node["properties"].items():
        inner = value.get("additionalProperties")
        if "properties" in value:
            yield from _keys(value, f"`{key}`")
        elif isinstance(inner, Mapping) and "properties" in inner:
            yield from _keys(inner, f"`{key}`: each of them")


def type_of(node: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "enum" in node:
        return " or ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "$ref" in node or "allOf" in node:
        return "plugin"
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(type_of(option) for option in node["anyOf"]))
    kind = {"integer": "whole number", "string": "text", "boolean": "true or false", "null": "empty"}.get(
        node.get("type", ""), node.get("type", "any")
    )
    if kind == "array":
        items = node.get("prefixItems") or ([node["items"]] if "items" in node else [])
        inside = ", ".join(dict.fromkeys(type_of(item) for item in items))
        return f"list of {inside}" if inside else "list"
    if kind == "object":
        inside = node.get("additionalProperties")
        named = isinstance(inside, Mapping) and "type" in inside
        return f"map of {type_of(inside)}" if named else "map"
    return kind + _range(node)


def _range(node: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {node[name]:g}" for name, sign in signs.items() if name in node]
    return f", {', '.join(limits)}" if limits else ""


def default_of(node: Mapping[str, Any]) -> str:
    """The default of a schema as it would be written."""
    match node.get("default"):
        case {"uses": uses, "with": settings} if not settings:
            return code(uses)
    return code(json.dumps(node["default"], ensure_ascii=False)) if "default" in node else ""


def interface_table(app: Sphinx) -> Iterator[str]:
    """Group, verb, ports and result of each interface."""
    yield from table(
        ("class", "uses", "verb", "gives", "ports"),
        (
            (
                f"{{py:obj}}`~ripieno.contracts.{interface.__name__}`",
                f"`{interface.prefix}/…`",
                code(interface.verb + _arguments(interface)),
                _result(interface),
                _openness(interface),
            )
            for interface in INTERFACES
        ),
    )


def _openness(interface: type[Plugin[Any]]) -> str:
    if issubclass(interface, (Codec, FrameEffect, Augmenter, FrameDecoder)):
        return "none"
    return "open" if _is_open(interface) else "closed"


def _is_open(interface: type[Plugin[Any]]) -> bool:
    parameters = inspect.signature(getattr(interface, interface.verb)).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


def _arguments(interface: type[Plugin[Any]]) -> str:
    if _is_open(interface):
        return "(…)"
    parameters = list(inspect.signature(getattr(interface, interface.verb)).parameters.values())[1:]
    required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    optional = [f"{parameter.name}=None" for parameter in parameters if parameter.default is None]
    return f"({', '.join((*required, *optional))})"


def _result(interface: type[Plugin[Any]]) -> str:
    if _openness(interface) == "none":
        return ""
    if _is_open(interface):
        result = inspect.signature(getattr(interface, interface.verb)).return_annotation
        return "any artifact" if result.kind == "" else f"`{result.kind}`"
    shape = signature(interface)
    return ", ".join(f"`{name}`: `{kind}`" for name, kind in shape.fields) or f"`{shape.kind}`"


def data_table(app: Sphinx) -> Iterator[str]:
    """Groups of data, with the keys of their YAML."""
    for name in ("Preset", "Recipe", "Asset"):
        model = getattr(contracts, name).model_json_schema()
        yield from ("", f"`{name}`, `{getattr(contracts, name).group}`:")
        yield from _settings(model)


def api(app: Sphinx, *modules: str) -> Iterator[str]:
    """The public classes and functions of modules, below `ripieno` unless named in full."""
    for name in modules:
        module = import_module(name if name.startswith("ripieno") else f"ripieno.contracts.{name}")
        package = import_module(module.__name__.rpartition(".")[0])
        exported = getattr(package, "__all__", ())
        for public, value in public_names(module).items():
            shown = f"{package.__name__ if public in exported else module.__name__}.{public}"
            kind = "class" if isinstance(value, type) else "function"
            options = ["   :members:"] if kind == "class" else []
            if isinstance(value, type) and issubclass(value, BaseException):
                kind, options = "exception", ["   :show-inheritance:"]
            yield from rst([f".. auto{kind}:: {shown}", *options])


def public_names(module: Any) -> dict[str, Any]:
    """Classes and functions that a module defines under a public name, in its order."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isidentifier()
        and not name.startswith("_")
        and (isinstance(value, type) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }


def events(app: Sphinx) -> Iterator[str]:
    """The hooks, one a row."""
    yield from table(
        ("event", "facts", ""),
        (
            (
                code(name),
                ", ".join(f"`{fact}`" for fact in list(inspect.signature(method).parameters)[1:]),
                inspect.getdoc(method) or "",
            )
            for name, method in EVENTS.items()
        ),
    )


def commands(app: Sphinx) -> Iterator[str]:
    """The help of every command, as click has it."""
    with click.Context(core, info_name="core") as context:
        for name in COMMANDS:
            command = core.get_command(context, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=context) as below:
                yield from _command(command, below, level=2)


def _command(command: click.Command, context: click.Context, *, level: int) -> Iterator[str]:
    yield from ("", f"{'#' * level} {context.command_path}", "", inspect.cleandoc(command.help or ""), "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.commands[name]
            with click.Context(inner, info_name=name, parent=context) as below:
                yield from _command(inner, below, level=level + 1)
        return
    yield from ("```text", " ".join((context.command_path, *command.collect_usage_pieces(context))), "```")
    options = [option for option in command.params if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    yield from table(("option", ""), ((code(option), text) for option, text in records))


def plugins(app: Sphinx) -> Iterator[str]:
    """First-party plugins that are steps, by distribution: ports, results, settings."""
    entries = [entry for entry in registry().entries() if entry.distribution.startswith(OURS)]
    steps = [entry for entry in entries if entry.prefix not in ("artifact", "codec", "recipe")]
    for distribution in dict.fromkeys(entry.distribution for entry in steps):
        yield from ("", f"## {distribution}")
        for entry in steps:
            if entry.distribution == distribution:
                yield from _plugin(entry.uses, registry().describe(entry.uses), app.config)


def _plugin(uses: str, plugin: Descriptor, config: Config) -> Iterator[str]:
    yield from ("", f"### {uses}")
    yield from rst(str(NumpyDocstring(plugin.description, config, what="class")).splitlines())
    results = [f"`.{name}`: `{kind}`" for name, kind in plugin.fields] or [f"`{plugin.kind}`"]
    # Settings decide the names of stems alone, and some plugins have no data where the site is built.
    names = registry().configure(uses, {}).outputs if plugin.kind == "stems" else ()
    results += [f"`.{name}`: `audio`" for name in names]
    yield from ("", f"{_takes(plugin)}gives {', '.join(results)}.", *_flags(plugin))
    yield from _settings(plugin.config_schema)


def _takes(plugin: Descriptor) -> str:
    shapes = {"one": "", "list": "list of ", "dict": "map of "}
    ports = [
        f"`{port.name}`: {shapes[port.many]}`{port.kind}`{'' if port.required else ' (optional)'}"
        for port in plugin.ports
    ]
    return f"Takes {', '.join(ports)}; " if ports else "Takes nothing; "


def _flags(plugin: Descriptor) -> Iterator[str]:
    for port, spec in plugin.accepts.items():
        wanted = [f"{spec['rate_hz']} Hz"] if spec.get("rate_hz") else []
        wanted += (
            [{1: "mono"}.get(spec["channels"], f"{spec['channels']} channels")]
            if spec.get("channels")
            else []
        )
        if wanted:
            yield f"`{port}` is adapted to {', '.join(wanted)}."
    said = {
        "random": "Draws random numbers: the seed is in its key.",
        "causal": "Streams.",
        "reads_history": "Is told how all that it takes was made.",
        "partial": "Takes what is there where items of what it gathers failed.",
        "whole_file": "Holds the whole recording in memory.",
        "parallel": "Spreads its work over the workers.",
    }
    yield from (text for flag, text in said.items() if getattr(plugin, flag))
    if not plugin.reproducible:
        yield "Gives other bytes each time."
    for binary in plugin.binaries:
        yield f"Runs the program {binary['name']}."


def _settings(model: Mapping[str, Any]) -> Iterator[str]:
    properties = model.get("properties", {})
    required = model.get("required", ())
    yield from table(
        ("setting", "type", "default", "unit", ""),
        (
            (
                code(name),
                type_of(facts),
                "**required**" if name in required else default_of(facts),
                facts.get("unit", ""),
                facts.get("description", ""),
            )
            for name, facts in properties.items()
        ),
    )


def codecs(app: Sphinx) -> Iterator[str]:
    """Files that can be read and written."""
    described = [(entry, registry().describe(entry.uses)) for entry in registry().entries("codec")]
    yield from table(
        ("kind", "suffixes", "codec", "of", ""),
        (
            (
                code(codec.kind),
                " ".join(code(suffix) or "a folder" for suffix in codec.suffixes),
                code(entry.uses),
                entry.distribution,
                codec.summary,
            )
            for entry, codec in sorted(described, key=lambda pair: pair[1].kind)
        ),
    )


def recipes(app: Sphinx) -> Iterator[str]:
    """Pipelines that are shipped."""
    for name in registry().names("recipe"):
        pipeline = Pipeline.load(registry().load(f"recipe/{name}").path)
        yield from ("", f"`core run {name}`: {pipeline.description}")
        yield from table(
            ("input", "kind", "default", ""),
            (
                (
                    code(given.name),
                    code(given.kind),
                    code(given.path or "") or "**required**",
                    given.description,
                )
                for given in pipeline.inputs.values()
            ),
        )


def slow_state(app: Sphinx) -> Iterator[str]:
    """The fields of a state, as the frozen contract has them."""
    frozen = contract()
    state, kinds = frozen["state"], frozen["state"]["$defs"]
    parts = (("beat.", kinds["BeatClockState"]), ("structure.", kinds["StructureState"]), ("", state))
    rows = (
        (
            code(prefix + field) + ("" if field in node["required"] else " (optional)"),
            _measure(facts),
            facts.get("description", ""),
        )
        for prefix, node in parts
        for field, facts in node["properties"].items()
        if prefix or field not in node["required"]
    )
    yield from table(("field", "", ""), rows)
    for name in ("section_labels", "hazard_horizons_beats"):
        yield from ("", f"`{name}`: {', '.join(map(str, frozen[name]))}.", "")


def _measure(node: Mapping[str, Any]) -> str:
    """What a number of the contract is, or how many there are of it."""
    if node.get("$ref", "").endswith("/probability"):
        return "probability"
    if node.get("type") != "array":
        return type_of(node)
    kind = "probabilities" if "$ref" in node["items"] else "numbers"
    return f"{node['minItems']} {kind}" if "minItems" in node else kind


def farewells(app: Sphinx) -> Iterator[str]:
    """Close codes of the server's WebSocket."""
    known = [value for value in vars(client).values() if isinstance(value, client.Farewell)]
    rows = [(code(str(farewell.code)), farewell.reason) for farewell in known]
    yield from table(
        ("close code", ""), [*rows, (code(str(client.WRONG)), "anything else: the fault by name")]
    )


def osc(app: Sphinx) -> Iterator[str]:
    """The addresses that a run sends to."""
    said = inspect.getdoc(import_module("ripieno.core.live.osc")) or ""
    yield from rst(re.search(r"^=.*^=[= ]*$", said, re.MULTILINE | re.DOTALL)[0].splitlines())


def graph(app: Sphinx, path: str) -> Iterator[str]:
    """The picture of a pipeline file, as ``core graph`` draws it."""
    plan = make_plan(Pipeline.load(Path(app.srcdir) / path), registry())
    yield from ("", '<figure class="graph">', svg(graph_of(plan)).strip(), "</figure>", "")


def lines(app: Sphinx) -> Iterator[str]:
    """How much code there is, as ``python -m benchmarks.lines`` counts it."""
    command = [sys.executable, "-m", "benchmarks.lines"]
    root = Path(app.srcdir).parent
    said = subprocess.run(command, cwd=root, check=True, capture_output=True, encoding="utf-8").stdout
    yield from table(
        ("distribution", "lines"),
        ((code(name), count) for count, name in re.findall(r"^ *([\d,]+)  (\w+)$", said, re.MULTILINE)),
    )


PARTS: Mapping[str, Callable[..., Iterator[str]]] = {
    part.__name__: part
    for part in (
        pipeline_keys,
        interface_table,
        data_table,
        api,
        events,
        commands,
        plugins,
        codecs,
        recipes,
        slow_state,
        farewells,
        osc,
        graph,
        lines,
    )
}
"""What a page can ask for."""
