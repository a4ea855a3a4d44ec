"""A performance as a page to look around in and to listen to: one file that asks for nothing outside it."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ripieno.contracts import Note
from ripieno.contracts.performance import DYNAMICS, PITCH

from .scene import Curve, Scene, curve, middle_midi
from .sound import as_png, length_s, source_of, spectrogram
from .style import STYLES, hertz, minus, note_name

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent
# The page's own text goes no finer than what can be heard or seen: 10 µs, a hundredth of a cent.
TIME_DIGITS, PITCH_DIGITS, VALUE_DIGITS = 5, 4, 4
MOST_ROWS = 2000
SCRIPTS = ("view.js", "drawing.js", "page.js")


def render(scene: Scene, sound: Path | None, *, folder: Path) -> bytes:
    """The page, to be written into `folder`."""
    from markupsafe import Markup

    script = "\n".join(map(_text, SCRIPTS))
    page = template(HERE, "page.html.jinja").render(
        scene=scene,
        facts=scene.facts,
        styles=STYLES,
        provenance=sorted(scene.performance.field_provenance.items()),
        rows=[_row(note) for note in scene.performance.notes[:MOST_ROWS]],
        notes=len(scene.performance.notes),
        sound=source_of(sound, folder) if sound is not None else "",
        data=Markup(as_script(_data(scene, sound))),
        css=Markup(_text("page.css")),
        script=Markup(script),
        digest=b64encode(sha256(script.encode()).digest()).decode(),
    )
    return page.encode()


def template(folder: Path, name: str) -> "Template":
    """A page's template, that escapes whatever it is given."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    options: Mapping[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    return Environment(
        loader=FileSystemLoader([folder, HERE]), undefined=StrictUndefined, **options
    ).get_template(name)


def as_script(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data(scene: Scene, sound: Path | None) -> dict[str, Any]:
    return {
        "duration_s": scene.duration_s,
        "low": scene.low_midi,
        "high": scene.high_midi,
        "loudness": DYNAMICS,
        "lanes": [{**asdict(lane), "title": lane.title, "base": lane.base} for lane in scene.lanes],
        "streams": [stream.instrument for stream in scene.performance.streams],
        "styles": {
            name: {"light": style.light, "dark": style.dark, "sign": style.path, "solid": style.solid}
            for name, style in STYLES.items()
        },
        "notes": [
            _note(note, number)
            for number, stream in enumerate(scene.performance.streams)
            for note in stream.notes
        ],
        "spectrogram": _spectrogram(scene, sound),
    }


def _spectrogram(scene: Scene, sound: Path | None) -> dict[str, Any] | None:
    if sound is None:
        return None
    levels = spectrogram(sound, low_midi=scene.low_midi, high_midi=scene.high_midi)
    return {"image": as_png(levels), "duration_s": length_s(sound)}


def _note(note: Note, stream: int) -> dict[str, Any]:
    curves = {name: curve(envelope, note) for name, envelope in note.envelopes.items()}
    return {
        "onset": note.onset_s,
        "offset": note.offset_s,
        "articulation": note.articulation,
        "mode": note.mode,
        "stream": stream,
        "masked": list(note.masked),
        "pitch": _rounded(curves.pop(PITCH), PITCH_DIGITS) if PITCH in curves else None,
        "lanes": {name: _rounded(line, VALUE_DIGITS) for name, line in curves.items()},
    }


def _rounded(line: Curve, digits: int) -> list[list[float]]:
    return [np.round(line[0], TIME_DIGITS).tolist(), np.round(line[1], digits).tolist()]


def _row(note: Note) -> dict[str, Any]:
    pitch = middle_midi(note)
    loudness = note.envelopes.get(DYNAMICS)
    return {
        "onset": f"{note.onset_s:.3f}",
        "length": f"{note.duration_s:.3f}",
        "pitch": "" if pitch is None else note_name(pitch, cents=True),
        "hertz": "" if pitch is None else f"{hertz(pitch):.1f}",
        "articulation": note.articulation,
        "mode": note.mode,
        "loudest": "" if loudness is None else minus(f"{loudness.values.max():.1f}"),
        "masked": ", ".join(note.masked),
    }


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
