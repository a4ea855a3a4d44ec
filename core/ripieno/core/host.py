"""Core as the subcommands of plugins see it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ripieno.registry import Registry

from .console import listener
from .pipeline import Pipeline
from .recipes import find_pipeline
from .run import Options, Run


class CoreHost:
    """Implements `ripieno.contracts.Host`."""

    def load(self, path: str) -> Pipeline:
        """A pipeline by path or recipe name."""
        return find_pipeline(path)

    def run(
        self,
        pipeline: str,
        inputs: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        only: Sequence[str] = (),
    ) -> Path:
        """Run a pipeline; its run folder.

        Raises
        ------
        StepError
            If a step failed.
        """
        wanted = find_pipeline(pipeline).with_inputs(inputs or {}).with_settings(settings or {})
        # A subcommand says what it finds; how its runs go on is for a terminal only, and what failed for the error.
        shown = listener(sys.stdout, as_json=False, quiet=not sys.stderr.isatty(), failures=False)
        options = Options(only=only, listeners=(shown,))
        return Run(wanted, options).execute().checked().folder

    def data(self, uses: str) -> Any:
        """A data plugin."""
        return Registry().build(uses, {})

    def describe(self, uses: str) -> Mapping[str, Any]:
        """The descriptor of a plugin."""
        return asdict(Registry().describe(uses))
