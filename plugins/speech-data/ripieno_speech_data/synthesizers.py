"""Text to sound by flite, festival and espeak-ng, as processes.

Conventions
-----------
An utterance sounds the same whatever is spoken before it. flite and espeak-ng start in a hundredth of a
second and speak one utterance each; festival loads its lexicon for half a second and speaks all.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import StepError
from ripieno.contracts.context import temporary_folder

from .processes import run
from .voices import ESPEAK, FESTIVAL, FLITE, Voice

START_S = 20.0
"""What a program may take to start; speaking takes it a tenth of the time of the sound, or less."""
LONGEST_S = 300.0
"""Sound that one utterance may come to."""
_BYTES_PER_S = 4 * 48000
_NORMAL_WPM = 175
_NORMAL_PITCH = 50


@dataclass(frozen=True)
class Utterance:
    """One sentence as it is to be spoken.

    Parameters
    ----------
    voice : Voice
        Who speaks.
    text : str
        What; one line.
    stretch : float
        Duration over the voice's own, about 0.7 to 1.4.
    pitch : float
        Pitch over the voice's own, about 0.8 to 1.3; some voices only have their own.
    """

    voice: Voice
    text: str
    stretch: float = 1.0
    pitch: float = 1.0


Sound = tuple[NDArray[np.float32], int]


def speak(utterances: Sequence[Utterance], *, scratch: Path) -> list[Sound]:
    """The sound of each utterance by itself.

    Returns
    -------
    list of (ndarray [frames], int)
        Mono samples and their rate in Hz; no samples where nothing is said.

    Raises
    ------
    MissingError
        If a synthesizer is not on this machine.
    StepError
        If one fails, takes too long or writes too much.
    """
    with temporary_folder(scratch) as folder:
        spoken = [(utterance, folder / f"{index}.wav") for index, utterance in enumerate(utterances)]
        batch = []
        for utterance, path in spoken:
            text = _readable(utterance)
            if not text:
                continue
            if utterance.voice.synthesizer == FESTIVAL.name:
                batch.append(_scheme(utterance, text, path))
            elif utterance.voice.synthesizer == FLITE.name:
                _flite(utterance, text, path)
            else:
                _espeak(utterance, text, path)
        if batch:
            _festival(batch, folder)
        return [_read(path, utterance) for utterance, path in spoken]


def _readable(utterance: Utterance) -> str:
    """What its synthesizer is given to read: flite and festival ASCII only, so without accents.

    Empty where no letter and no digit is left: festival would crash.
    """
    text = utterance.text
    if utterance.voice.synthesizer != ESPEAK.name:
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return text if any(mark.isalnum() for mark in text) else ""


def _flite(utterance: Utterance, text: str, path: Path) -> None:
    said = _write_text(path, text)
    settings = [f"duration_stretch={utterance.stretch:.4f}"]
    if utterance.voice.f0_hz:
        settings.append(f"int_f0_target_mean={utterance.voice.f0_hz * utterance.pitch:.2f}")
    options = [option for setting in settings for option in ("--setf", setting)]
    command = [str(FLITE.require()), "-voice", utterance.voice.own_name, *options]
    _run([*command, "-f", str(said), "-o", str(path)], writes=path)


def _espeak(utterance: Utterance, text: str, path: Path) -> None:
    said = _write_text(path, text)
    speed_wpm = min(450, max(80, round(_NORMAL_WPM / utterance.stretch)))
    # espeak-ng's pitch doubles from 0 to 99, more or less.
    pitch = min(99, max(0, round(_NORMAL_PITCH + 99 * np.log2(utterance.pitch))))
    command = [str(ESPEAK.require()), "-v", utterance.voice.own_name, "-s", str(speed_wpm), "-p", str(pitch)]
    _run([*command, "-b", "1", "-f", str(said), "-w", str(path)], writes=path)


def _festival(batch: Sequence[str], folder: Path) -> None:
    script = folder / "speak.scm"
    script.write_text("".join(batch), encoding="utf-8")
    # Told names and not paths: the end of what ked says depends on how long those are.
    command = [str(FESTIVAL.require()), "--batch", script.name]
    _run(command, writes=folder, utterances=len(batch), inside=folder)


def _run(command: Sequence[str], *, writes: Path, utterances: int = 1, inside: Path | None = None) -> None:
    longest_s = utterances * LONGEST_S
    run(
        command,
        writes=writes,
        limit_s=START_S + longest_s / 10,
        most_bytes=int(longest_s * _BYTES_PER_S),
        inside=inside,
    )


def _scheme(utterance: Utterance, text: str, path: Path) -> str:
    voice, lines = utterance.voice, [f"(voice_{utterance.voice.own_name})"]
    lines.append(f"(Parameter.set 'Duration_Stretch {utterance.stretch:.4f})")
    if voice.f0_hz:
        target_hz = voice.f0_hz * utterance.pitch
        target = f"(target_f0_mean {target_hz:.2f}) (target_f0_std {0.13 * target_hz:.2f})"
        lines.append(f"(set! int_lr_params '({target} (model_f0_mean 170) (model_f0_std 34)))")
    said = f"(Utterance Text {_quoted(text)})"
    lines.append(f"(utt.save.wave (utt.synth {said}) {_quoted(path.name)} 'riff)")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_text(path: Path, text: str) -> Path:
    said = path.with_suffix(".txt")
    said.write_text(text + "\n", encoding="utf-8")
    return said


def _read(path: Path, utterance: Utterance) -> Sound:
    import soundfile

    # Nothing to say, such as a line of marks alone, gives no file or an empty one.
    if not path.is_file() or path.stat().st_size == 0:
        return np.zeros(0, np.float32), 16000
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise StepError(f"{utterance.voice.name} wrote no sound that can be read: {error}") from error
    return samples.mean(axis=1), rate_hz
