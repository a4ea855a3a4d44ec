"""``sink/gallery``: the site."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ripieno.contracts import Artifact, Audio, Bundle, InputError, Licence, Scores, Sink
from ripieno.contracts.binaries import FFMPEG

from .config import GalleryConfig
from .items import make_item, slugs
from .page import PAGE, TABLE, Site, render
from .table import as_csv, columns_of

# Folders may have spaces in their names; a path that a reason begins with ends at its colon.
_FOLDERS = re.compile(
    r"\A(?:[A-Za-z]:)?[\\/](?:[^\\/:]+[\\/])+(?=[^\\/:]*:)|(?<![^\s'\"(\[])(?:[A-Za-z]:)?[\\/](?:[^\s\\/:]+[\\/])+"
)


class Gallery(Sink[GalleryConfig]):
    """A site that shows sound before and after: players, pictures, a table of scores.

    It is a folder that a browser opens from disk and that any web host serves as it is; nothing is asked for
    from elsewhere. Both sounds of a pair are played and drawn equally loud. Snippets of all items are in
    ``snippets/``, from where most is said afterwards; all scores are in ``metrics.csv`` (RFC 4180).
    """

    binaries = (FFMPEG,)
    partial = True

    def publish(
        self, before: dict[str, Audio], after: dict[str, Audio], scores: list[Scores] | None = None
    ) -> Bundle:
        """The site.

        Parameters
        ----------
        before, after : dict of str to Audio
            By item, of the same items in the same order; of any rates, channels and lengths.
        scores : list of Scores, optional
            Of the first metric for every item, then of the second, …

        Returns
        -------
        Bundle
            ``index.html``, ``metrics.csv``, and what they name.

        Raises
        ------
        InputError
            If the items before and after are not the same, or scores are not one of each metric for each.
        """
        names, scores = _names(before, after), scores or []
        columns = columns_of(scores, items=len(names))
        folder = self.context.new_file()
        folder.mkdir()
        items = []
        for name, slug, *pair in zip(names, slugs(names), before.values(), after.values(), strict=True):
            items.append(make_item(name, slug, pair, folder=folder, config=self.config))
            self.context.progress(len(items), len(names), unit="items")
        licences = _licences([*before.values(), *after.values(), *scores])
        site = Site(self.config, tuple(items), tuple(columns), licences, _published(self.context.lost))
        (folder / PAGE).write_text(render(site), encoding="utf-8", newline="\n")
        (folder / TABLE).write_text(as_csv(names, columns), encoding="utf-8", newline="")
        return Bundle({path.relative_to(folder).as_posix(): path for path in _files(folder)})


def _names(before: Mapping[str, Audio], after: Mapping[str, Audio]) -> list[str]:
    """Names of the items; a lone pair goes by what it was before."""
    names = list(before)
    if len(names) == len(after) == 1 or names == list(after):
        return names
    lacking = next(iter(sorted(before.keys() ^ after.keys())), "")
    raise InputError(
        f"{len(before)} items before and {len(after)} after, which are not the same"
        + (f": {lacking!r} is on one side only" if lacking else "")
        + ". Wire both to steps that run for the same input"
    )


def _licences(artifacts: Iterable[Artifact]) -> tuple[Licence, ...]:
    found = (licence for artifact in artifacts for licence in artifact.provenance.licences)
    return tuple(dict.fromkeys(found))


def _published(lost: Mapping[str, str]) -> dict[str, str]:
    """Reasons without the folders of this machine, which are nobody's business on a web host."""
    return {name: _FOLDERS.sub("", why) for name, why in lost.items()}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
