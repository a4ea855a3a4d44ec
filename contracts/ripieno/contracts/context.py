"""What a call may know and do beside its inputs.

Conventions
-----------
The context of the running call is `current_context`, also ``self.context`` in a plugin. Outside a run
(a notebook, a test) each call of a verb gets a plain one: seed 0, jobs one after the other, scratch in
a temporary folder that goes with the process.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import PluginError

if TYPE_CHECKING:
    import numpy as np

    from .audio import AudioWriter
    from .formats import AudioFormat

Job = TypeVar("Job")
Result = TypeVar("Result")
Mapped = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a call has come.

    Parameters
    ----------
    done, total : float
        In `unit`; total 0 = not known.
    unit : str
        What is counted: ``frames``, ``s``, ``steps``.
    """

    done: float
    total: float = 0
    unit: str = ""


@dataclass(frozen=True)
class Made:
    """One step behind what a call takes, or one input.

    Parameters
    ----------
    step, item : str
        Its name in the pipeline, and the item it was done for.
    uses, distribution, version : str
        The plugin.
    settings : mapping
        All of them, defaults included.
    given : mapping of str to str
        Where a setting comes from: ``pipeline``, ``run`` (command line or notebook), ``track list``, or
        ``adapter``, which the planner put in. What is not named is the plugin's default.
    seed : int, optional
        Of a plugin that draws.
    file, sha256 : str
        Of an input: its name, and the SHA-256 of what it holds.
    """

    step: str
    item: str
    uses: str
    distribution: str = ""
    version: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Context:
    """Of one call of a verb.

    Parameters
    ----------
    scratch : Path
        An empty folder of this call alone; gone afterwards.
    checkpoint : Path
        A folder that survives a crash and is there again when the same step runs next.
    seed : int
        Of this call; depends on the run's seed, the step and the item, on nothing else.
    random : bool
        Whether the plugin says that it draws numbers; `rng` refuses otherwise.
    facts : mapping
        What the input's ``items`` file says of this item: title, artist, …
    lost : mapping of str to str
        Items that a ``partial`` plugin does not get because they failed, and why.
    history : tuple of Made
        How all that it takes was made, in order, for a plugin that says ``reads_history``.
    device : str
        ``cpu``, ``cuda`` or ``mps``.
    logger : logging.Logger
        What the run shows or keeps.
    on_progress, on_map : callable, optional
        How the run takes `progress` and `map`; a plugin does not call them.
    """

    scratch: Path
    checkpoint: Path
    seed: int = 0
    random: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    history: tuple[Made, ...] = ()
    device: str = "cpu"
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("ripieno"))
    on_progress: Callable[[Progress], None] | None = None
    on_map: Callable[[Mapped, Sequence[Any]], list[Any]] | None = None
    _numbers: Iterator[int] = field(default_factory=count, init=False, repr=False)

    @cached_property
    def rng(self) -> "np.random.Generator":
        """The generator that every random draw of this call comes from.

        Raises
        ------
        PluginError
            If the plugin does not say ``random = True``.
        """
        import numpy as np  # not at the top: a run that finds all in the store needs none

        if not self.random:
            raise PluginError(
                "context.rng is for plugins that say random = True: only then the seed is in the key"
            )
        return np.random.default_rng(self.seed)

    def map(self, function: Callable[[Job, "Context"], Result], jobs: Sequence[Job]) -> list[Result]:
        """Call a function for each job on the run's workers.

        Parameters
        ----------
        function : callable
            Of the plugin's module, at top level; called as ``function(job, context)`` with a context of
            its own (seed from the job's index, the same checkpoint folder).
        jobs : sequence of JSON
            Plain values; large data goes through files in the checkpoint folder.

        Returns
        -------
        list of JSON
            Results in the order of the jobs, the same for any number of workers.
        """
        if self.on_map is not None:
            return self.on_map(function, jobs)
        results = []
        for index, job in enumerate(jobs):
            with temporary_folder() as scratch:
                results.append(call_in(self.for_job(index, scratch), function, job))
        return results

    def for_job(self, index: int, scratch: Path) -> "Context":
        """The context of job `index` of a `map`."""
        seed = derive_seed(self.seed, "job", str(index))
        return replace(self, seed=seed, scratch=scratch, on_map=None, on_progress=None)

    def progress(self, done: float, total: float = 0, *, unit: str = "") -> None:
        """Say how far the call has come."""
        if self.on_progress is not None:
            self.on_progress(Progress(done, total, unit))

    def new_file(self, suffix: str = "") -> Path:
        """A path in the scratch folder that nothing uses yet."""
        paths = (self.scratch / f"{number}{suffix}" for number in self._numbers)
        return next(path for path in paths if not path.exists())

    def audio_writer(self, format: "AudioFormat") -> "AudioWriter":
        """A writer of audio in the scratch folder, for results longer than memory."""
        from .audio import AudioWriter

        return AudioWriter(self.new_file(".f32"), format)


def derive_seed(seed: int, *names: str) -> int:
    """A seed of 63 bits from a seed and names, the same on every machine."""
    text = "\0".join((str(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


_current: ContextVar[Context | None] = ContextVar("ripieno_context", default=None)


def current_context() -> Context:
    """The context of the running call.

    Raises
    ------
    PluginError
        If no verb of a plugin is running.
    """
    context = _current.get()
    if context is None:
        raise PluginError("there is a context only while a plugin's verb runs")
    return context


@contextmanager
def use_context(context: Context) -> Iterator[Context]:
    """Make `context` the current one within the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def call_in(context: Context, function: Callable[[Job, Context], Result], job: Job) -> Result:
    """``function(job, context)`` with `context` as the current one."""
    with use_context(context):
        return function(job, context)


@contextmanager
def ensure_context(*, random: bool) -> Iterator[Context]:
    """The current context, or a plain one for a call outside a run: seed 0, one process."""
    with use_context(_current.get() or new_context(random=random)) as context:
        yield context


def new_context(**facts: Any) -> Context:
    """A context outside a run; its folders go with the process, as results may be files in them."""
    folder = Path(tempfile.mkdtemp(dir=_process_folder().name))
    scratch, checkpoint = folder / "scratch", folder / "checkpoint"
    scratch.mkdir()
    checkpoint.mkdir()
    return Context(scratch, checkpoint, **facts)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """An empty folder that is removed with all in it after the block."""
    with tempfile.TemporaryDirectory(prefix="ripieno-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


@lru_cache(maxsize=1)
def _process_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="ripieno-", ignore_cleanup_errors=True)
