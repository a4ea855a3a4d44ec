"""Checks what was asked and lays out what will be done.

Conventions
-----------
Everything is checked from descriptors, nothing is run. Problems are collected, each a line with its
place in the file; what follows from a problem is not reported again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ripieno.contracts.binaries import Binary
from ripieno.contracts.errors import ConfigError, InputError, PipelineError, RipienoError
from ripieno.registry import Catalogue, Configured, Descriptor, Registry
from ripieno.registry.suggest import did_you_mean

from .items import Item, items_of
from .licences import excluded, licences_of
from .paths import item_with_absolute_paths, with_absolute_paths
from .pipeline import Input, Pipeline, Source, Step, names_of
from .plan import Node, Plan, Ref, Task, Wire
from .suffixes import cannot_hold, fitting_suffix, suffix_of
from .tracklist import ListError, Track

# Plugins that others use; they have no artifacts as ports.
NOT_STEPS = ("codec", "frame_effect", "augmenter")


def make_plan(
    pipeline: Pipeline,
    registry: Registry,
    *,
    only: Sequence[str] = (),
    live: Mapping[str, str] | None = None,
) -> Plan:
    """Check a pipeline and lay out what it will do.

    Parameters
    ----------
    pipeline : Pipeline
        What was asked.
    registry : Registry
        Where the plugins are.
    only : sequence of str
        Steps to do, with all they need; every step where empty.
    live : mapping of str to str, optional
        For a live run: the item key of each input that has a live source. No file is read or written then,
        and a list input is a list of one.

    Raises
    ------
    PipelineError
        With every problem, one line each.
    """
    return _Planner(pipeline, registry, only, live).plan()


class _Planner:
    def __init__(
        self, pipeline: Pipeline, registry: Registry, only: Sequence[str], live: Mapping[str, str] | None
    ) -> None:
        self.pipeline = with_absolute_paths(pipeline, registry)
        self.live = live
        self.registry = registry
        self.catalogue = Catalogue(registry)
        self.only = only
        self.problems: list[str] = []
        self.nodes: dict[str, Node] = {}
        self.items: dict[str, tuple[Item, ...]] = {}

    def plan(self) -> Plan:
        order = self.order()
        self.stop()
        for name in order:
            self.add_step(self.pipeline.steps[name])
        for reference, pattern in self.pipeline.outputs.items() if self.live is None else ():
            self.add_output(reference, pattern)
        plan = Plan(self.pipeline, self.nodes, self.items)
        self.check_licences()
        self.check_suffixes()
        self.check_item_settings(plan)
        self.check_targets(plan)
        self.stop()
        return plan

    def stop(self) -> None:
        if self.problems:
            raise PipelineError("\n".join(dict.fromkeys(self.problems)))

    def problem(self, message: object, *path: str | int, key: bool = False) -> None:
        place = self.pipeline.at(*path, key=key)
        self.problems.extend(f"{place}: {line}" for line in str(message).splitlines())

    def order(self) -> list[str]:
        """Steps that are wanted, each after those it takes from."""
        steps = self.pipeline.steps
        for name in self.only:
            if name not in steps:
                self.problems.append(
                    f"no step {name!r}. Steps: {', '.join(steps)}{did_you_mean(name, tuple(steps))}"
                )
        done: dict[str, None] = {}
        # Depth first without recursion: a pipeline may be a chain of a thousand steps.
        for wanted in self.only or steps:
            stack = [(wanted, False)]
            open_steps: dict[str, None] = {}
            while stack:
                name, finished = stack.pop()
                if finished:
                    done[name] = None
                    open_steps.pop(name, None)
                elif name in open_steps:
                    self.cycle(list(open_steps), name)
                    return []
                elif name in steps and name not in done:
                    open_steps[name] = None
                    stack.append((name, True))
                    stack.extend(
                        (needed, False) for needed in reversed(self.needs(steps[name])) if needed not in done
                    )
        return list(done)

    def needs(self, step: Step) -> list[str]:
        references = (reference for source in step.sources.values() for reference in names_of(source))
        return [reference.partition(".")[0] for reference in references]

    def cycle(self, open_steps: list[str], name: str) -> None:
        round_trip = " → ".join((*open_steps[open_steps.index(name) :], name))
        self.problem(f"the steps take from each other in a circle: {round_trip}", "steps", name, key=True)

    def add_step(self, step: Step) -> None:
        here = ("steps", step.name)
        if step.name in self.pipeline.inputs:
            self.problem(f'"{step.name}" is an input already: give the step another name', *here, key=True)
        try:
            descriptor = self.described(step)
        except RipienoError as error:
            self.problem(f'step "{step.name}": {error}', *here, "uses")
            return
        configured = self.configured(step)
        if configured is None:
            return
        known = len(self.problems)
        wires = self.wires(step, descriptor)
        if len(self.problems) > known or len(wires) < len(step.sources):
            return  # what takes from it would only be wrong in the same way
        node = Node(
            name=step.name,
            role="step",
            uses=step.uses,
            descriptor=descriptor,
            configured=configured,
            outputs=outputs_of(descriptor, configured),
            main=descriptor.fields[0][0] if descriptor.fields else "",
            wires=wires,
            axes=self.axes(step, wires),
            settings=step.settings,
            timeout_s=step.timeout_s,
        )
        self.nodes[step.name] = node

    def described(self, step: Step) -> Descriptor:
        if step.uses.partition("/")[0] in NOT_STEPS:
            raise PipelineError(f"{step.uses} is used by other plugins and cannot be a step")
        descriptor = self.registry.describe(step.uses)
        if not descriptor.verb:
            raise PipelineError(f"{step.uses} is no plugin that does something and cannot be a step")
        missing = [binary for binary in map(_binary, descriptor.binaries) if binary.find() is None]
        for binary in missing:
            raise PipelineError(f"{step.uses} needs the program {binary.name}. Run: {binary.cure}")
        if descriptor.resources.get("gpu") and not has_gpu():
            raise PipelineError(f"{step.uses} needs a GPU, and this machine has none that is set up")
        return descriptor

    def configured(self, step: Step) -> Configured | None:
        try:
            return self.completed(step.uses, step.settings)
        except ConfigError as error:
            for line in str(error).splitlines():
                self.setting_problem(step, line)
        except RipienoError as error:
            self.problem(f'step "{step.name}": {error}', "steps", step.name, "with")
        return None

    def completed(self, uses: str, settings: Mapping[str, Any]) -> Configured:
        """Settings completed, and those of the plugins within checked; what is unknown gets what there is."""
        try:
            configured = self.registry.configure(uses, settings)
        except ConfigError as error:
            known = tuple(self.registry.describe(uses).config_schema.get("properties", {}))
            lines = (_with_known(line, uses, known) for line in str(error).splitlines())
            raise ConfigError("\n".join(lines)) from error
        self.check_references(configured)
        return configured

    def check_references(self, configured: Configured) -> None:
        for place, reference in configured.references.items():
            try:
                # Assets must be here, other data plugins are there if they can be described.
                uses = reference["uses"]
                if uses.startswith("asset/"):
                    self.catalogue.path(uses.removeprefix("asset/"))
                elif not self.registry.is_data(uses):
                    self.completed(uses, reference["with"])
            except ConfigError as error:
                raise error.inside(place) from error
            except RipienoError as error:
                raise ConfigError(f"{place}: {error}") from error

    def setting_problem(self, step: Step, line: str) -> None:
        place, _, message = line.partition(": ")
        self.problem(
            f'step "{step.name}": {place or "with"}: {message}',
            "steps", step.name, "with", *_trail(place), key="unknown setting" in message,
        )  # fmt: skip

    def wires(self, step: Step, descriptor: Descriptor) -> dict[str, Wire]:
        ports = {port.name: port for port in descriptor.ports}
        wires: dict[str, Wire] = {}
        for name, source in step.sources.items():
            place = ("steps", step.name, "in", name)
            if name not in ports:
                takes = f"{step.uses} takes {', '.join(ports)}" if ports else f"{step.uses} has no ports"
                hint = did_you_mean(name, tuple(ports))
                self.problem(f'step "{step.name}": unknown port "{name}". {takes}{hint}', *place, key=True)
                continue
            wire = self.wire(step, ports[name], source)
            if wire is not None:
                wires[name] = self.adapted(step, descriptor, name, wire)
        # A port that is misspelled is said to be unknown; that it is missing too would be noise.
        misspelled = not ports.keys() >= step.sources.keys()
        for port in ports.values():
            if port.required and port.name not in step.sources and not misspelled:
                self.problem(
                    f'step "{step.name}": port "{port.name}" takes {port.kind} and is not wired',
                    "steps",
                    step.name,
                )
        return wires

    def wire(self, step: Step, port: Any, source: Source) -> Wire | None:
        place = ("steps", step.name, "in", port.name)
        if port.many == "one" and not isinstance(source, str):
            self.problem(f'step "{step.name}": port "{port.name}" takes one {port.kind}', *place)
            return None
        if isinstance(source, dict) and port.many != "dict":
            self.problem(f'step "{step.name}": port "{port.name}" takes a list of {port.kind}', *place)
            return None
        if isinstance(source, list) and port.many == "dict":
            self.problem(f'step "{step.name}": port "{port.name}" takes a map of {port.kind}', *place)
            return None
        refs = []
        for reference in names_of(source):
            ref = self.resolved(reference, f'step "{step.name}": port "{port.name}"', *place)
            if ref is None:
                return None
            kind = self.nodes[ref.node].outputs[ref.output]
            if kind != port.kind:
                message = f'step "{step.name}": port "{port.name}" takes {port.kind}, {reference} is {kind}'
                self.problem(message + self.other_output(ref, port.kind), *place)
                return None
            refs.append(ref)
        return Wire(tuple(refs), port.many, tuple(source) if isinstance(source, dict) else ())

    def other_output(self, ref: Ref, kind: str) -> str:
        """A hint where another output of the same node has the kind that is wanted."""
        outputs = self.nodes[ref.node].outputs
        fitting = [f"{ref.node}.{name}" for name, other in outputs.items() if name and other == kind]
        return f". Take {' or '.join(fitting)}" if fitting else ""

    def resolved(self, reference: str, who: str, *place: str | int) -> Ref | None:
        """The output that a reference names; an input becomes a node when it is first taken."""
        name, _, output = reference.partition(".")
        if name in self.pipeline.inputs and name not in self.nodes:
            add = self.add_input if self.live is None else self.add_live_input
            add(name)
        if name not in self.nodes:
            self.unresolved(name, reference, who, *place)
            return None
        node = self.nodes[name]
        if output not in node.outputs:
            names = tuple(other for other in node.outputs if other)
            has = f"{name} gives {', '.join(names)}" if names else f"{name} gives one result: write {name}"
            self.problem(
                f'{who}: {name} has no output "{output}". {has}{did_you_mean(output, names)}', *place
            )
            return None
        return Ref(name, output or node.main)

    def unresolved(self, name: str, reference: str, who: str, *place: str | int) -> None:
        # A step or input that is wrong itself has been reported where it stands.
        if name in self.pipeline.steps or name in self.pipeline.inputs:
            return
        names = (*self.pipeline.inputs, *self.pipeline.steps)
        self.problem(f'{who}: there is no input or step "{name}"{did_you_mean(name, names)}', *place)

    def add_live_input(self, name: str) -> None:
        source = self.pipeline.inputs[name]
        axis = source.along or name
        key = (self.live or {}).get(axis, axis)
        self.items[axis] = self.items[name] = (Item(key, Path(), key),)
        self.nodes[name] = Node(
            name=name,
            role="input",
            uses="",
            descriptor=Descriptor(interface="", prefix="", summary="Live.", description="Live."),
            configured=Configured({}, (), (), {}),
            outputs={"": source.kind},
            axes=(axis,) if source.many else (),
        )

    def add_input(self, name: str) -> None:
        source = self.pipeline.inputs[name]
        try:
            items = self.aligned(source, items_of(source)) if source.along else items_of(source)
            codecs = self.codecs(source, items)
        except ListError as error:
            self.problems.extend(str(error).splitlines())
            return
        except RipienoError as error:
            self.input_problem(source, str(error))
            return
        if len(codecs) > 1:
            listed = ", ".join(sorted(codecs))
            self.input_problem(source, f'input "{name}": files of one input need one codec: {listed}')
            return
        (codec,) = codecs
        steps = self.pipeline.steps
        self.items[name] = tuple(
            item_with_absolute_paths(item, source, steps, self.registry) for item in items
        )
        self.nodes[name] = Node(
            name=name,
            role="input",
            uses=codec,
            descriptor=self.registry.describe(codec),
            configured=self.registry.configure(codec, {}),
            outputs={"": source.kind},
            axes=(source.along or name,) if source.many else (),
        )

    def codecs(self, source: Input, items: Sequence[Item]) -> set[str]:
        """What reads the files of an input, asked once a suffix."""
        first = {suffix_of(item.path): item.path for item in reversed(items)}
        found = set()
        for suffix, path in first.items():
            try:
                found.add(self.registry.codec(source.kind, suffix))
            except RipienoError as error:
                hint = f". For the files in it, give {path}/*" if path.is_dir() else ""
                raise InputError(f"{path}: {error}{hint}") from error
        return found

    def aligned(self, source: Input, items: Sequence[Item]) -> tuple[Item, ...]:
        """The items of an input in the order of those that it goes along with."""
        other = self.pipeline.inputs.get(source.along)
        if other is None or not other.many or other.along:
            raise InputError(f"input {source.name!r} goes along {source.along!r}, which is no list input")
        if source.along not in self.nodes:
            self.add_input(source.along)
        by_key = {item.key: item for item in items}
        wanted = [item.key for item in self.items.get(source.along, ())]
        missing = [key for key in wanted if key not in by_key]
        if missing:
            raise InputError(
                f"input {source.name!r} has no file for {', '.join(missing)} of {source.along!r}"
            )
        return tuple(by_key[key] for key in wanted)

    def input_problem(self, source: Input, message: str) -> None:
        """A problem where the path was written: on the command line, or in the file."""
        if source.given:
            self.problems.append(f"--input {source.name}={source.items or source.path}: {message}")
        else:
            self.problem(message, "inputs", source.name)

    def adapted(self, step: Step, descriptor: Descriptor, port: str, wire: Wire) -> Wire:
        """The wire through a downmix and a resampler, where the port fixes channels or rate."""
        spec = descriptor.accepts.get(port, {})
        wanted: list[tuple[str, str, dict[str, Any]]] = []
        if spec.get("channels"):
            wanted.append(("effect/downmix", f"{spec['channels']}ch", {"channels": spec["channels"]}))
        if spec.get("rate_hz"):
            # Where the consumer streams, the same fixed-latency filter stands offline and live.
            settings = {"rate_hz": spec["rate_hz"], "streaming": descriptor.causal}
            mark = f"{spec['rate_hz']}Hz" + ("-live" if descriptor.causal else "")
            wanted.append(("effect/resample", mark, settings))
        refs = wire.refs
        for uses, mark, settings in wanted:
            refs = tuple(self.adapter(step, ref, uses, mark, settings) for ref in refs)
        return replace(wire, refs=refs)

    def adapter(self, step: Step, ref: Ref, uses: str, mark: str, settings: dict[str, Any]) -> Ref:
        name = f"{ref}@{mark}"
        if name in self.nodes:
            return Ref(name)
        try:
            self.nodes[name] = Node(
                name=name,
                role="adapter",
                uses=uses,
                descriptor=self.registry.describe(uses),
                configured=self.registry.configure(uses, settings),
                outputs={"": "audio"},
                wires={"audio": Wire((ref,))},
                axes=self.nodes[ref.node].axes,
                settings=settings,
            )
        except RipienoError as error:
            self.problem(
                f'step "{step.name}": {step.uses} needs its audio adapted: {error}', "steps", step.name
            )
            return ref
        return Ref(name)

    def axes(self, step: Step, wires: Mapping[str, Wire]) -> tuple[str, ...]:
        passed = [
            axis
            for wire in wires.values()
            if wire.many == "one" or wire.names
            for ref in wire.refs
            for axis in self.nodes[ref.node].axes
        ]
        axes = tuple(dict.fromkeys(passed))
        if len(axes) > 1 and not step.cross:
            self.problem(
                f'step "{step.name}" takes from the lists {" and ".join(axes)}: '
                "say cross: true to run for every pair of their items",
                "steps", step.name, key=True,
            )  # fmt: skip
        return axes

    def add_output(self, reference: str, pattern: str) -> None:
        place = ("outputs", reference)
        if self.only and reference.partition(".")[0] not in self.only:
            return
        ref = self.resolved(reference, "output", *place)
        if ref is None:
            return
        node = self.nodes[ref.node]
        message = pattern_problem(pattern, many=bool(node.axes))
        if message:
            self.problem(f'output "{reference}": {message}', *place)
            return
        try:
            kind = node.outputs[ref.output]
            codec = self.registry.codec(kind, suffix_of(PurePosixPath(pattern)))
            name = f"output {reference}"
            self.nodes[name] = Node(
                name=name,
                role="output",
                uses=codec,
                descriptor=self.registry.describe(codec),
                configured=self.registry.configure(codec, {}),
                outputs={},
                wires={"artifact": Wire((ref,))},
                axes=node.axes,
                pattern=pattern,
                reference=reference,
            )
        except RipienoError as error:
            self.problem(f'output "{reference}": {error}', *place)

    def check_licences(self) -> None:
        for node in self.nodes.values():
            name = node.reference or node.name
            place = (f"{node.role}s", name)
            source = self.pipeline.inputs.get(node.name)
            for line in self.refused(node.uses, node.configured, source):
                self.problem(f'{node.role} "{name}": {line}', *place)

    def refused(self, uses: str, configured: Configured, source: Input | None = None) -> list[str]:
        """A line for each licence that a commercial pipeline refuses; none where the pipeline is not one."""
        if not self.pipeline.commercial:
            return []
        found = licences_of(uses, configured, source, self.registry)
        return [excluded(licence) for licence in found if not licence["commercial"]]

    def check_suffixes(self) -> None:
        """Refuse outputs whose files cannot hold what their steps make."""
        for node in self.nodes.values():
            if suffix := fitting_suffix(node, self.nodes):
                message = f"{cannot_hold(node)}. Write {PurePosixPath(node.pattern).with_suffix(suffix)}"
                self.problem(f'output "{node.reference}": {message}', "outputs", node.reference)

    def check_item_settings(self, plan: Plan) -> None:
        """Settings that single items bring are checked as the file's own are."""
        tracks = [(item, item.track) for items in self.items.values() for item in items if item.track]
        for item, track in tracks:
            for step, settings in item.settings.items():
                who = f"item {item.key!r}: with.{step}"
                if step not in self.pipeline.steps:
                    place = track.at("with", step, key=True)
                    hint = did_you_mean(step, tuple(self.pipeline.steps))
                    self.problems.append(f"{place}: {who}: there is no such step{hint}")
                elif step in self.nodes:
                    wrong = self.wrong_settings(plan.nodes[step], settings)
                    self.problems += [_in_list(track, step, line, who=who) for line in wrong]

    def wrong_settings(self, node: Node, settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with settings that one item brings, ``place: message`` each."""
        try:
            configured = self.completed(node.uses, {**node.settings, **settings})
        except RipienoError as error:
            lines = str(error).splitlines()
            return lines if isinstance(error, ConfigError) else [f": {line}" for line in lines]
        known = self.refused(node.uses, node.configured)
        new = [line for line in self.refused(node.uses, configured) if line not in known]
        for output in self.nodes.values():
            changed = replace(node, configured=configured)
            suffix = fitting_suffix(output, {**self.nodes, node.name: changed}) if output.axes else ""
            if suffix and not fitting_suffix(output, self.nodes):
                new.append(
                    f"{cannot_hold(output)}, but a {suffix} could. All items need such settings, or none"
                )
        return [f": {line}" for line in new]

    def check_targets(self, plan: Plan) -> None:
        taken: dict[str, str] = {}
        for node in plan.nodes.values():
            if node.role != "output":
                continue
            for key in plan.item_keys(node):
                target = plan.target(Task(node.name, key)).casefold()
                if target in taken:
                    self.problem(f"two outputs are written to {target}", "outputs", node.reference)
                    return
                taken[target] = node.name


def outputs_of(descriptor: Descriptor, configured: Configured) -> dict[str, str]:
    """Kinds of what a plugin gives, by name; ``""`` is the main one."""
    outputs = {"": descriptor.kind}
    outputs.update(descriptor.fields)
    if descriptor.kind == "stems":
        outputs.update(dict.fromkeys(configured.outputs, "audio"))
    return outputs


def pattern_problem(pattern: str, *, many: bool) -> str:
    """What is wrong with an output's path; empty where nothing is."""
    path = PurePosixPath(pattern)
    if not path.parts or "\0" in pattern:
        return f"{pattern!r} is no file name"
    if path.is_absolute() or PureWindowsPath(pattern).drive or "\\" in pattern or ".." in path.parts:
        return f"{pattern} leaves the run folder. Write a relative path without .."
    if path.parts and path.parts[0].casefold() in ("manifest.json", "report.html"):
        return f"{pattern} is the run's own file. Choose another name"
    if many and "{item}" not in pattern:
        return f"{pattern} would be written once for every item. Put {{item}} into it"
    if not many and "{item}" in pattern:
        return f"{pattern} has {{item}}, but there is only one. Write a plain name, or say many: true of the input"
    return ""


def has_gpu() -> bool:
    """Whether an NVIDIA driver is set up here."""
    import shutil

    return shutil.which("nvidia-smi") is not None


def _binary(facts: Mapping[str, Any]) -> Binary:
    return Binary(**facts)


def _trail(place: str) -> list[str | int]:
    """Where a setting stands, of its place in the message of a `ConfigError`."""
    return [int(part) if part.isdigit() else part for part in place.split(".") if part]


def _in_list(track: Track, step: str, line: str, *, who: str) -> str:
    """A problem of an item's settings, with its place in the list."""
    place, _, message = line.partition(": ")
    at = track.at("with", step, *_trail(place), key="unknown setting" in message)
    return f"{at}: {who}: {line.removeprefix(': ')}"


def _with_known(line: str, uses: str, known: Sequence[str]) -> str:
    """What is wrong with a plugin's settings; where one of them is unknown, with those that there are."""
    place, _, message = line.partition(": ")
    if message != "unknown setting" or "." in place:
        return line
    takes = f"{uses} takes {', '.join(known)}" if known else f"{uses} has no settings"
    return f"{line}. {takes}{did_you_mean(place, known)}"
