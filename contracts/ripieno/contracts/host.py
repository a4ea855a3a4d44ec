"""What a plugin's own command line may ask of the program that called it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol


class Host(Protocol):
    """Core, as the subcommands of plugins see it: ``ctx.obj`` of a click command.

    A subcommand is a click command registered under ``ripieno.commands``.
    """

    def load(self, path: str) -> Any:
        """A pipeline by path or recipe name, parsed and not yet checked."""
        ...

    def run(
        self,
        pipeline: str,
        inputs: Mapping[str, str] = ...,
        settings: Mapping[str, Any] = ...,
        only: Sequence[str] = ...,
    ) -> Path:
        """Run a pipeline and give its run folder.

        Parameters
        ----------
        pipeline : str
            Path or recipe name.
        inputs : mapping of str to str
            Paths by input name.
        settings : mapping of str to JSON
            ``step.key`` → value.
        only : sequence of str
            Steps to run, with what they need; all where empty.
        """
        ...

    def data(self, uses: str) -> Any:
        """A data plugin: the `InstrumentProfile` of ``instrument/violin``.

        Raises
        ------
        MissingError, PluginError
            If there is none of the name, or it is broken.
        """
        ...

    def describe(self, uses: str) -> Mapping[str, Any]:
        """The descriptor of a plugin."""
        ...
