"""``sink/album_page``: the page of an album."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import Field

from ripieno.contracts import FFMPEG, Artifact, Bundle, Licence, PluginConfig, Sink, Video

from .sheet import clock
from .tracks import Track, carry, tracks_of

PAGE, CHAPTERS = "index.html", "chapters.txt"
HERE = Path(__file__).parent
_COLOURS = ("#8a5cf6", "#ec6a9c", "#f2b45a")


class AlbumPageConfig(PluginConfig):
    """Settings of `AlbumPage`."""

    title: str = Field("", description="Of the album; what its tracks name as `album`, if empty.")
    description: str = Field(
        "", description="A sentence below the title; what all tracks have as `about`, if empty."
    )


@dataclass(frozen=True)
class Site:
    """What the page shows; `album` is the address of the film of all tracks, empty where there is none."""

    title: str
    description: str
    artist: str
    album: str
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    licences: tuple[Licence, ...]
    lost: Mapping[str, str]

    @property
    def duration_s(self) -> float:
        """Of all tracks together."""
        return sum(track.duration_s for track in self.tracks)

    @property
    def colours(self) -> tuple[str, ...]:
        """Of the first track that has any."""
        return next((track.colours for track in self.tracks if len(track.colours) > 1), _COLOURS)


class AlbumPage(Sink[AlbumPageConfig]):
    """The page of an album: a player with chapters, and every track with poster, title and film.

    It is a folder that a browser opens from disk and that any web host serves as it is; nothing is asked for from
    elsewhere. The films stand in it, in the store without a second copy.
    """

    binaries = (FFMPEG,)
    partial = True

    def publish(
        self, films: dict[str, Video], *, album: Video | None = None, extras: dict[str, Bundle] | None = None
    ) -> Bundle:
        """The page.

        Parameters
        ----------
        films : dict of str to Video
            By track, in the album's order.
        album : Video, optional
            All of them one after the other.
        extras : dict of str to Bundle, optional
            What `FilmExtras` made, by track; titles, artists, posters and colours are taken from there.

        Returns
        -------
        Bundle
            ``index.html``, ``chapters.txt``, ``films/``, ``extras/``, and ``album.mp4`` of an album.
        """
        folder = self.context.new_file()
        folder.mkdir()
        tracks = tuple(tracks_of(films, extras or {}, folder=folder))
        address = ""
        if album is not None:
            address = f"album{album.path.suffix}"
            carry(album.path, folder / address)
        artist = _of_all([track.artist for track in tracks], otherwise="Various artists")
        album_title = _of_all([track.album for track in tracks]) or (artist if len(tracks) > 1 else "")
        shown = album or next(iter(films.values()))
        site = Site(
            title=self.config.title or album_title or (tracks[0].title if len(tracks) == 1 else "Album"),
            description=self.config.description or _of_all([track.about for track in tracks]),
            artist=artist,
            album=address,
            size=(shown.width, shown.height),
            tracks=tracks,
            licences=_licences([*films.values(), *([album] if album else ())]),
            lost=_published(self.context.lost),
        )
        (folder / PAGE).write_text(render(site), encoding="utf-8", newline="\n")
        (folder / CHAPTERS).write_text(chapters(tracks), encoding="utf-8", newline="\n")
        return Bundle({path.relative_to(folder).as_posix(): path for path in _files(folder)})


def render(site: Site) -> str:
    """The page of an album: one file beside the films and pictures that it names."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock)
    script = (HERE / "album.js").read_text(encoding="utf-8")
    return environment.get_template("album.html.jinja").render(
        site=site,
        chapters=CHAPTERS,
        css=Markup((HERE / "album.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
    )


def chapters(tracks: Sequence[Track]) -> str:
    """A line a track, ``0:00 Title``, as sites for films take them in a description."""
    return "".join(f"{clock(track.start_s)} {track.title}\n" for track in tracks)


def _of_all(words: Sequence[str], *, otherwise: str = "") -> str:
    """What all tracks that say anything say; something else where they differ."""
    said = list(dict.fromkeys(word for word in words if word))
    return said[0] if len(said) == 1 else otherwise if said else ""


def _licences(artifacts: Iterable[Artifact]) -> tuple[Licence, ...]:
    found = (licence for artifact in artifacts for licence in artifact.provenance.licences)
    return tuple(dict.fromkeys(found))


def _published(lost: Mapping[str, str]) -> dict[str, str]:
    """Reasons without the folders of this machine, which are nobody's business on a web host."""
    folders = re.compile(r"(?<!\S)(?:[A-Za-z]:)?[\\/](?:[^\s\\/:]+[\\/])+")
    return {name: folders.sub("", why) for name, why in lost.items()}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
