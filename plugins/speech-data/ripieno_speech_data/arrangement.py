"""A piece, drawn whole from a seed: its style, form, players, electronic layers and finish."""

from dataclasses import dataclass, replace

import numpy as np

from .grooves import KITS, drums
from .harmony import Form, draw_form
from .parts import ROLES, Note
from .styles import STYLES, Layer, Style

DRUM_CHANNEL = 9
LEAD_S = (0.0, 4.0)
"""Of a piece, what is left out at its beginning, so that clips begin in the midst of it."""
SUSTAINED = frozenset(
    (*range(16, 24), 29, 30, *range(40, 45), *range(48, 55), *range(56, 104), 109, 110, 111)
)
"""Programs that sound as long as the key is down: they can swell and waver."""
PEDALLED = frozenset((0, 1, 2, 3, 4, 5, 8, 11, 46))
LINES = frozenset(("melody", "counter", "run"))
QUIETER_DB = {"sweep": 12.0}
"""By how much less than the others a layer sounds."""


@dataclass(frozen=True)
class Player:
    """One channel of General MIDI.

    Parameters
    ----------
    name : str
        Its role, or the groove.
    channel, program : int
    notes : tuple of Note
    volume, pan, reverb, chorus : int
        Controllers, 0 to 127.
    loose_ms : float
        Standard deviation of its timing.
    expression : tuple of (float, int)
        How loud it is from a beat on, 0 to 127.
    vibrato : int
        Modulation, 0 to 127.
    scoop : int
        How far below a note the pitch wheel begins now and then, 8192 for two semitones.
    pedal : bool
        Whether it is pressed with each chord.
    """

    name: str
    channel: int
    program: int
    notes: tuple[Note, ...]
    volume: int
    pan: int
    reverb: int
    chorus: int
    loose_ms: float
    expression: tuple[tuple[float, int], ...] = ()
    vibrato: int = 0
    scoop: int = 0
    pedal: bool = False


@dataclass(frozen=True)
class Finish:
    """What is done to the sound.

    Parameters
    ----------
    left : float
        Share of the left channel in the mono sum.
    tilt_db : float
        Per octave, about 1 kHz.
    room_s : float
        Reverberation added, 0 for none.
    drive_db : float
        Into saturation, 0 for none.
    worn : bool
        Like an old tape: band-limited, wavering, with hiss.
    pump : float
        Depth of ducking on each beat.
    fade_in_s, fade_out_s : float
        0 for none.
    level_dbfs : float
        RMS.
    """

    left: float
    tilt_db: float
    room_s: float
    drive_db: float
    worn: bool
    pump: float
    fade_in_s: float
    fade_out_s: float
    level_dbfs: float


@dataclass(frozen=True)
class Arrangement:
    """A piece before it sounds."""

    seed: int
    style: str
    form: Form
    players: tuple[Player, ...]
    electronic: tuple[tuple[str, float], ...]
    tuning_cents: float
    lead_s: float
    finish: Finish


def arrange(seed: int, *, clip_s: float, styles: tuple[str, ...]) -> Arrangement:
    """The piece of a seed: at least its lead and `clip_s` long."""
    rng = np.random.default_rng(seed)
    weights = np.array([STYLES[name].weight for name in styles])
    name = styles[rng.choice(len(styles), p=weights / weights.sum())]
    style = STYLES[name]
    lead_s = float(rng.uniform(*LEAD_S)) if rng.random() < 0.7 else 0.0
    form = draw_form(
        rng, duration_s=lead_s + clip_s, tempo_bpm=style.tempo_bpm, swung=bool(rng.random() < style.swung)
    )
    return Arrangement(
        seed=seed,
        style=name,
        form=form,
        players=_players(style, form, rng),
        electronic=_electronic(style, rng),
        tuning_cents=float(rng.normal(0, 8) if rng.random() < 0.7 else rng.uniform(-50, 50)),
        lead_s=lead_s,
        finish=_finish(style, rng),
    )


def _players(style: Style, form: Form, rng: np.random.Generator) -> tuple[Player, ...]:
    loose_ms = float(rng.choice([0, 3, 8, 15, 25]))
    reverb, chorus = int(rng.integers(0, 100)), int(rng.integers(0, 60))
    channels = iter(channel for channel in range(16) if channel != DRUM_CHANNEL)
    players = [
        _player(layer, form, rng, channel=next(channels), room=(reverb, chorus), loose_ms=loose_ms)
        for layer in style.layers
        if rng.random() < layer.share
    ]
    if rng.random() < style.drums:
        players.append(_drummer(style, form, rng, reverb=reverb, loose_ms=loose_ms))
    return (*players[:1], *(_coming_or_going(player, form, rng) for player in players[1:]))


def _player(
    layer: Layer,
    form: Form,
    rng: np.random.Generator,
    *,
    channel: int,
    room: tuple[int, int],
    loose_ms: float,
) -> Player:
    role = str(rng.choice(layer.roles))
    around = int(rng.integers(layer.around[0], layer.around[1] + 1))
    program = int(rng.choice(layer.programs))
    sustained = program in SUSTAINED
    return Player(
        name=role,
        channel=channel,
        program=program,
        notes=tuple(ROLES[role](form, rng, around)),
        volume=int(rng.integers(layer.volume[0], layer.volume[1] + 1)),
        pan=int(np.clip(rng.normal(64, 25), 0, 127)),
        reverb=int(np.clip(room[0] + rng.normal(0, 15), 0, 127)),
        chorus=room[1],
        loose_ms=loose_ms,
        expression=_expression(form, rng) if sustained and rng.random() < 0.6 else (),
        vibrato=int(rng.integers(0, 90)) if sustained and rng.random() < 0.5 else 0,
        scoop=int(rng.integers(1000, 8000)) if role in LINES and sustained and rng.random() < 0.3 else 0,
        pedal=program in PEDALLED and role != "bass" and bool(rng.random() < 0.6),
    )


def _coming_or_going(player: Player, form: Form, rng: np.random.Generator) -> Player:
    """One in four enters late, or leaves early."""
    drawn = rng.random()
    turn = float(rng.uniform(0.2, 0.7)) * form.beats
    if drawn > 0.25:
        return player
    enters = drawn < 0.125
    return replace(player, notes=tuple(note for note in player.notes if (note.start >= turn) == enters))


def _expression(form: Form, rng: np.random.Generator) -> tuple[tuple[float, int], ...]:
    """Swells with each chord, each bar or two, or one long way up or down."""
    beats = np.arange(0, form.beats, 0.25)
    period = float(rng.choice([form.chords[0].beats, form.beats_per_bar, 2 * form.beats_per_bar, form.beats]))
    place = beats / period % 1
    shape = (np.sin(np.pi * place), place, 1 - place)[rng.integers(3)]
    least = float(rng.uniform(20, 90))
    values = np.round(least + (127 - least) * shape).astype(int)
    return tuple(zip(beats.tolist(), values.tolist(), strict=True))


def _drummer(style: Style, form: Form, rng: np.random.Generator, *, reverb: int, loose_ms: float) -> Player:
    groove, kit = str(rng.choice(style.grooves)), str(rng.choice(style.kits))
    notes = drums(form, rng, groove=groove)
    if rng.random() < 0.2:
        notes += drums(form, rng, groove=str(rng.choice(["shakers", "latin", "hands"])))
    return Player(
        name=groove,
        channel=DRUM_CHANNEL,
        program=KITS[kit],
        notes=tuple(notes),
        volume=int(rng.integers(55, 115)),
        pan=64,
        reverb=reverb // 2,
        chorus=0,
        loose_ms=loose_ms / 2,
    )


def _electronic(style: Style, rng: np.random.Generator) -> tuple[tuple[str, float], ...]:
    drawn = tuple(
        (name, float(rng.uniform(-14, 0)) - QUIETER_DB.get(name, 0))
        for name in style.electronic
        if rng.random() < style.electronics
    )
    if drawn or style.layers or style.drums:
        return drawn
    return ((str(rng.choice(style.electronic)), 0.0),)


def _finish(style: Style, rng: np.random.Generator) -> Finish:
    return Finish(
        left=float(rng.uniform(0.3, 0.7)),
        tilt_db=float(rng.normal(0, 1.2)),
        room_s=float(rng.uniform(0.5, 4)) if rng.random() < 0.3 else 0.0,
        drive_db=float(rng.uniform(3, 15)) if rng.random() < 0.2 else 0.0,
        worn=bool(rng.random() < style.worn),
        pump=float(rng.uniform(0.3, 0.9)) if style.electronic and rng.random() < 0.3 else 0.0,
        fade_in_s=float(rng.uniform(0.5, 5)) if rng.random() < 0.08 else 0.0,
        fade_out_s=float(rng.uniform(0.5, 5)) if rng.random() < 0.08 else 0.0,
        level_dbfs=float(rng.uniform(-30, -16)),
    )
