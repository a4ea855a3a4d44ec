"""The place where benchmarks work: a folder, plugins and a store of its own."""

import shutil
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from .processes import Command

PROJECTS = Path(__file__).with_name("projects")
PROGRAM = Path(sys.executable).with_name("core")
DUMMIES = 200
DUMMY = '''"""A plugin that is only there to be found."""

from ripieno.contracts import Joiner, NoConfig, Text


class Dummy(Joiner[NoConfig]):
    """Gives back what it takes."""

    def join(self, text: Text) -> Text:
        return text
'''


class Place:
    """A folder to work in.

    Parameters
    ----------
    folder : Path
        Removed by whoever made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def room(self, name: str) -> Path:
        """A new folder."""
        room = self.folder / name
        room.mkdir()
        return room

    def project(self, name: str) -> Path:
        """A copy of one of `projects`."""
        return Path(shutil.copytree(PROJECTS / name, self.folder / name))

    def core(
        self, *arguments: object, folder: Path, site: Path, prepare: Callable[[], object] = lambda: None
    ) -> Command:
        """The `core` command, with the distributions of a folder beside the installed ones."""
        return python_command(
            str(PROGRAM), *map(str, arguments), folder=folder, site=site, store=self.store, prepare=prepare
        )

    @property
    def store(self) -> Path:
        """The store of all commands."""
        return self.folder / "store"

    @cached_property
    def dummies(self) -> Path:
        """Distributions that each bring one plugin, as pip leaves them."""
        site = self.room("dummies")
        for number in range(DUMMIES):
            _install(
                site, name=f"dummy_{number:03}", entry=f"dummy-{number:03} = ripieno_dummy_{number:03}:Dummy"
            )
            package = site / f"ripieno_dummy_{number:03}"
            package.mkdir()
            (package / "__init__.py").write_text(DUMMY, encoding="utf-8")
        return site

    @cached_property
    def noop(self) -> Path:
        """The distribution of ``joiner/noop``."""
        site = self.room("noop")
        _install(site, name="noop", entry="noop = ripieno_noop:Noop")
        shutil.copy(PROJECTS / "ripieno" / "ripieno_noop.py", site)
        return site


def python_command(
    *arguments: str, folder: Path, site: Path, store: Path, prepare: Callable[[], object] = lambda: None
) -> Command:
    """A command whose Python finds the distributions of `site`, and whose store is `store`."""
    return Command(arguments, folder, {"PYTHONPATH": str(site), "RIPIENO_STORE": str(store)}, prepare)


def _install(site: Path, *, name: str, entry: str) -> None:
    folder = site / f"ripieno_{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text(f"[ripieno.joiners]\n{entry}\n", encoding="utf-8")
    metadata = (
        f"Metadata-Version: 2.4\nName: ripieno-{name}\nVersion: 1.0\n"
        "Requires-Dist: ripieno-contracts>=0.1,<0.2\n"
    )
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
