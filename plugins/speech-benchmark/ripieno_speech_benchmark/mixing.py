"""A piece of music laid under voices: cut, put in a room, set to a ratio, written.

Conventions
-----------
Sounds are mono, float64 [frames], until they are mixed; mixtures are integers of 24 bit, in which
mix = speech + music holds to the last bit.
"""

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Context, derive_seed, write_whole

from . import recordings
from .recordings import Samples

Wanted = tuple[str, float | None]
"""``dry`` or ``room``, and the ratio in dB; None where there is no music."""

FULL_SCALE = 1 << 23
PEAK = 0.5


@dataclass(frozen=True, eq=False)
class Pair:
    """A voice and a piece of music, cut to one length.

    Parameters
    ----------
    voice, piece, room : str
        Names of the recordings; empty for no music, and for no room.
    speech : mapping of str to array [frames]
        The voice by place, ``dry`` and ``room``.
    music : array [frames]
        Zeros where there is none.
    speech_start_s, music_start_s : float
        Where the excerpts begin in the recordings.
    whole : bool
        Whether the voice is there from its beginning to its end.
    """

    voice: str
    piece: str
    room: str
    speech: Mapping[str, Samples]
    music: Samples
    speech_start_s: float
    music_start_s: float
    whole: bool


def mix_piece(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """Write the mixtures of one piece of music, or of none, with its voices; their entries in the manifest."""
    piece = Path(job["music"]) if job["music"] else None
    music = recordings.read(piece, rate_hz=job["settings"]["rate_hz"]) if piece else np.zeros(0)
    name = piece.stem if piece else ""
    return [
        mixture
        for voice, wanted in job["voices"].items()
        for mixture in _written(pair_of(job, Path(voice), name, music), wanted, job["settings"], context)
    ]


def pair_of(job: Mapping[str, Any], voice: Path, piece: str, music: Samples) -> Pair:
    """Draw the excerpts and the room of a voice and a piece; both depend on the seed and on their names."""
    settings, rate_hz = job["settings"], job["settings"]["rate_hz"]
    speech = recordings.read(voice, rate_hz=rate_hz)
    longest = round(settings["length_s"] * rate_hz)
    own = np.random.default_rng(derive_seed(job["seed"], "speech", voice.stem))
    speech_start = recordings.excerpt_start(speech, longest, rate_hz=rate_hz, rng=own)
    dry = speech[speech_start : speech_start + longest]

    rng = np.random.default_rng(derive_seed(job["seed"], "pair", voice.stem, piece))
    music_start = recordings.excerpt_start(music, dry.size, rate_hz=rate_hz, rng=rng)
    rooms = job["rooms"]
    room = Path(rooms[rng.integers(len(rooms))]) if rooms else None
    response = recordings.read_room(room, rate_hz=rate_hz) if room else None
    return Pair(
        voice=voice.stem,
        piece=piece,
        room=room.stem if room else "",
        speech={"dry": dry} | ({} if response is None else {"room": recordings.in_room(dry, response)}),
        # Music that is too short begins again; none becomes zeros.
        music=np.resize(music[music_start:], dry.size),
        speech_start_s=speech_start / rate_hz,
        music_start_s=music_start / rate_hz,
        whole=dry.size == speech.size,
    )


def mixed(speech: Samples, music: Samples, *, snr_db: float) -> dict[str, NDArray[np.int32]]:
    """Speech and music at a ratio, and their sum, as integers of 24 bit.

    Parameters
    ----------
    speech, music : array [frames]
        The music may be silent: then the mix is the speech.
    snr_db : float
        Energy of the speech over that of the music.

    Returns
    -------
    dict
        ``mix``, ``speech`` and ``music``; the first is the sum of the others to the last bit.
    """
    powers = np.vdot(speech, speech), np.vdot(music, music)
    if powers[1]:
        music = music * np.sqrt(powers[0] / powers[1] / 10 ** (snr_db / 10))
    peak = max(np.abs(track).max() for track in (speech + music, speech, music))
    tracks = [np.rint(track * (PEAK / peak * FULL_SCALE)).astype(np.int32) for track in (speech, music)]
    return {"mix": tracks[0] + tracks[1], "speech": tracks[0], "music": tracks[1]}


def name_of(pair: Pair, place: str, snr_db: float | None) -> str:
    """Name of a mixture: voice, music or ``clean``, place, ratio."""
    ratio = [] if snr_db is None else [f"{snr_db:+g}dB"]
    # As core names the items of a list, whatever the file system made of the recordings' names.
    return unicodedata.normalize("NFC", "--".join([pair.voice, pair.piece or "clean", place, *ratio]))


def _written(
    pair: Pair, wanted: Sequence[Wanted], settings: Mapping[str, Any], context: Context
) -> Iterator[dict[str, Any]]:
    text = settings["texts"].get(pair.voice, "") if pair.whole else ""
    rate_hz = settings["rate_hz"]
    for place, snr_db in wanted:
        name = name_of(pair, place, snr_db)
        tracks = mixed(pair.speech[place], pair.music, snr_db=snr_db or 0.0)
        digests = {
            f"{track}/{name}.flac": _write_flac(context.checkpoint / track, name, samples, rate_hz)
            for track, samples in tracks.items()
        }
        if text:
            digests[f"text/{name}.txt"] = _write(context.checkpoint / "text" / f"{name}.txt", text.encode())
        yield {
            "name": name,
            "snr_db": snr_db,
            "room": pair.room if place == "room" else "",
            "voice": pair.voice,
            "piece": pair.piece,
            "speech_start_s": pair.speech_start_s,
            "music_start_s": pair.music_start_s,
            "rate_hz": rate_hz,
            "duration_s": pair.music.size / rate_hz,
            "sha256": digests,
        }


def _write_flac(folder: Path, name: str, samples: NDArray[np.int32], rate_hz: int) -> str:
    import soundfile

    flac = io.BytesIO()
    # libsndfile keeps the upper 24 of 32 bits.
    soundfile.write(flac, samples << 8, rate_hz, format="FLAC", subtype="PCM_24")
    return _write(folder / f"{name}.flac", flac.getvalue())


def _write(path: Path, content: bytes) -> str:
    """Write a file; its digest."""
    write_whole(path, content)
    return sha256(content).hexdigest()
