"""The page of a set."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ripieno.contracts import InstrumentProfile, Licence
from ripieno.contracts.performance import DYNAMICS

from ..show.page import template
from ..show.scene import lane_of
from ..show.style import STYLES, minus
from .charts import Histogram, pitch_bars, value_bars
from .folder import Folder
from .players import Player
from .tally import Tally, numbers

HERE = Path(__file__).parent
SPLITS = ("train", "validation", "test")
DURATIONS_S = np.geomspace(0.02, 10.24, 37)
LEVELS_DBFS = np.arange(-72.0, 1.0, 2.0)
CENTS = np.arange(-50.0, 51.0, 2.5)
CHANNEL_BINS = 24
MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Technique:
    """A channel as a row of a table."""

    title: str
    unit: str
    low: float
    high: float
    notes: int
    masked: int
    chart: Histogram | None


def render(
    folder: Folder,
    tally: Tally,
    players: Sequence[Player],
    *,
    problems: Sequence[str],
    profiles: Mapping[str, InstrumentProfile],
) -> bytes:
    """The page, as a file's content."""
    from markupsafe import Markup

    script = (HERE / "report.js").read_text(encoding="utf-8")
    durations_s, cents = numbers(tally.durations_s), numbers(tally.cents)
    dynamics = tally.channels.get(DYNAMICS)
    levels = numbers(dynamics.values) if dynamics else np.zeros(0)
    page = template(HERE, "report.html.jinja").render(
        folder=folder,
        tally=tally,
        title=folder.path.resolve().name or str(folder.path),
        styles={
            name: style
            for name, style in STYLES.items()
            if any(name == art for art, _ in tally.articulations)
        },
        pitches=pitch_bars(tally.keys),
        durations=value_bars(
            durations_s, DURATIONS_S, unit="s", labels=(0.05, 0.1, 0.2, 0.5, 1, 2, 5), digits=2
        ),
        levels=value_bars(levels, LEVELS_DBFS, unit="dBFS", labels=range(-60, 0, 12), digits=1),
        cents=value_bars(cents, CENTS, unit="cents", labels=(-50, -25, 0, 25), digits=1),
        articulations=_shares(Counter({art: 0 for art, _ in tally.articulations}), tally.articulations),
        techniques=[*_techniques(tally, profiles)],
        splits=_splits(folder),
        players=players,
        problems=problems[:MOST_PROBLEMS],
        all_problems=len(problems),
        licences=_merged(folder.licences, tally.licences),
        settings=json.dumps(folder.settings, indent=2, ensure_ascii=False) if folder.settings else "",
        css=Markup((HERE / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        digest=b64encode(sha256(script.encode()).digest()).decode(),
        span=span,
        percent=percent,
        minus=minus,
    )
    return page.encode()


def span(seconds: float) -> str:
    """``42 s``, ``7.5 min`` or ``11.1 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def percent(part: float, whole: float) -> str:
    """``2.4 %``; of nothing it is ``0 %``."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share == round(share) else f"{share:.1f} %"


def _shares(
    counts: Counter[str], pairs: Mapping[tuple[str, str], int]
) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Articulations with their notes and modes, the most frequent first."""
    modes: dict[str, Counter[str]] = {name: Counter() for name in counts}
    for (name, mode), count in pairs.items():
        counts[name] += count
        modes[name][mode] += count
    return [(name, count, modes[name].most_common()) for name, count in counts.most_common()]


def _techniques(tally: Tally, profiles: Mapping[str, InstrumentProfile]) -> Iterable[Technique]:
    known = {name: channel for profile in profiles.values() for name, channel in profile.channels.items()}
    order = dict.fromkeys([name for name in known if name in tally.channels] + sorted(tally.channels))
    for name in order:
        if name == DYNAMICS:
            continue
        channel = tally.channels[name]
        values = numbers(channel.values)
        extent = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        lane = lane_of(name, extent, known)
        edges = np.linspace(lane.low, lane.high, CHANNEL_BINS + 1)
        chart = value_bars(values, edges, unit=lane.unit, digits=2)
        yield Technique(lane.title, lane.unit, lane.low, lane.high, channel.notes, channel.masked, chart)


def _splits(folder: Folder) -> list[tuple[str, int]]:
    counts = Counter(clip.split for clip in folder.clips if clip.split)
    order = [*(split for split in SPLITS if split in counts), *sorted(set(counts) - set(SPLITS))]
    return [(split, counts[split]) for split in order]


def _merged(*licences: Iterable[Licence]) -> list[Licence]:
    return list(dict.fromkeys(licence for group in licences for licence in group))
