"""The page."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ripieno.contracts import Licence

from .config import GalleryConfig
from .items import Item
from .table import Column, figure

PAGE, TABLE = "index.html", "metrics.csv"
HERE = Path(__file__).parent
_UNITS = {
    "db": "dB",
    "lufs": "LUFS",
    "lu": "LU",
    "dbtp": "dBTP",
    "dbfs": "dBFS",
    "s": "s",
    "hz": "Hz",
    "percent": "%",
}
_KNOWN = {
    "si_sdr": "SI-SDR",
    "si_sdr_improvement": "SI-SDR improvement",
    "stoi": "STOI",
    "pesq": "PESQ",
    "wer": "WER",
}


@dataclass(frozen=True)
class Site:
    """What the page shows.

    Parameters
    ----------
    config : GalleryConfig
    items : tuple of Item
    columns : tuple of Column
        Of the table of scores.
    licences : tuple of Licence
        Of everything that went into the sounds.
    lost : mapping of str to str
        Items that are not there, and why.
    """

    config: GalleryConfig
    items: tuple[Item, ...]
    columns: tuple[Column, ...]
    licences: tuple[Licence, ...]
    lost: Mapping[str, str]

    @property
    def duration_s(self) -> float:
        """Of all items together."""
        return sum(item.whole_s for item in self.items)


def render(site: Site) -> str:
    """The page of a gallery: one file beside the sounds and pictures it names."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, figure=figure, words=words, unit=unit)
    script = (HERE / "gallery.js").read_text(encoding="utf-8")
    return environment.get_template("gallery.html.jinja").render(
        site=site,
        config=site.config,
        table=TABLE,
        css=Markup((HERE / "gallery.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_sha256=b64encode(sha256(script.encode()).digest()).decode(),
    )


def clock(seconds: float) -> str:
    """``3:05`` or ``1:02:03``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def words(score: str) -> str:
    """Name of a score as words, without its unit: ``true_peak_dbtp`` is ``true peak``."""
    name = score.rpartition("_")[0] if unit(score) else score
    return _KNOWN.get(name, name.replace("_", " "))


def unit(score: str) -> str:
    """Unit of a score, empty where its name has none."""
    name, _, last = score.rpartition("_")
    return _UNITS.get(last, "") if name else ""
