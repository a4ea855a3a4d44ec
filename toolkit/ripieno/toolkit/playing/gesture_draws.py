"""Which gesture a note gets, drawn by what the instrument can and how long the note lasts."""

import numpy as np

from .ability import Ability, Technique
from .gestures import STEP_S, Bend, Vibrato

VIBRATO_FROM_S, BEND_FROM_S = 0.35, 0.35
VIBRATO_SHARE = {"bowed": 0.75, "plucked": 0.3, "struck": 0.0}
PORTAMENTO_SHARE, PORTAMENTO_FROM_S, BEND_SHARE = 0.35, 0.15, 0.25
# Nobody makes these waver.
STRAIGHT = ("tremolo", "staccato", "muted", "harmonic")


def draw_glide_s(rng: np.random.Generator, ability: Ability, *, duration_s: float, sung: bool) -> float:
    """How long a slurred note takes to its pitch: a portamento, or as quick as a finger falls."""
    slides = ability.portamento and duration_s > PORTAMENTO_FROM_S and rng.random() < PORTAMENTO_SHARE
    if sung or slides:
        return float(min(rng.uniform(0.07, 0.22), 0.45 * duration_s))
    return STEP_S if ability.fretted else float(rng.uniform(0.012, 0.025))


def draw_vibrato(
    rng: np.random.Generator,
    ability: Ability,
    technique: Technique,
    *,
    pitch_midi: float,
    duration_s: float,
    glide_s: float,
    sung: bool,
) -> Vibrato | None:
    """A vibrato for a note that lasts, after its glide; always where it is `sung`, if it stays in the range."""
    depth_cents = float(rng.uniform(*ability.vibrato_depth_cents))
    is_pizzicato = ability.bowed and technique.articulation == "plucked"
    wavers = ability.vibrato and technique.articulation not in STRAIGHT and not is_pizzicato
    if not wavers or duration_s < VIBRATO_FROM_S:
        return None
    likes = sung or rng.random() < VIBRATO_SHARE[ability.excitation]
    if not likes or not can_waver(ability, pitch_midi, depth_cents):
        return None
    return Vibrato(
        delay_s=glide_s + float(rng.uniform(0.05, 0.25)) * min(duration_s, 1.0),
        grow_s=float(rng.uniform(0.15, 0.45)) * min(duration_s, 1.2),
        depth_cents=depth_cents,
        rate_hz=float(np.clip(rng.normal(5.7, 0.5), 4.75, 6.7)),
        drift=float(rng.uniform(0.01, 0.04)),
        drift_hz=float(rng.uniform(0.5, 1.5)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def can_waver(ability: Ability, pitch_midi: float, depth_cents: float) -> bool:
    """Whether a vibrato around a pitch stays within the range."""
    lowest, highest = ability.lowest_midi + depth_cents / 100, ability.highest_midi - depth_cents / 100
    return lowest <= pitch_midi <= highest


def draw_bend(
    rng: np.random.Generator,
    ability: Ability,
    technique: Technique,
    *,
    pitch_midi: float,
    duration_s: float,
) -> Bend | None:
    """A bend of a quarter tone to a minor third, which is held, or let back in a long note."""
    cents = float(rng.choice([50, 100, 150, 200, 300], p=[0.1, 0.35, 0.05, 0.4, 0.1]))
    bends = ability.bends and technique.articulation not in STRAIGHT and duration_s >= BEND_FROM_S
    if not bends or pitch_midi + cents / 100 > ability.highest_midi or rng.random() >= BEND_SHARE:
        return None
    is_let_back = duration_s > 0.6 and rng.random() < 0.3
    return Bend(
        delay_s=float(rng.uniform(0.03, 0.12)),
        rise_s=float(rng.uniform(0.06, 0.18)),
        cents=cents,
        release_s=float(rng.uniform(0.55, 0.7)) * duration_s if is_let_back else np.inf,
        fall_s=float(rng.uniform(0.06, 0.18)),
    )
