"""What a client of the server may say.

Conventions
-----------
A text is one JSON object with any of ``token``, ``contract`` and ``audio``. ``{"audio": {"rate_hz":
48000, "channels": 1}}`` announces sound, ``{"audio": null}`` ends it; between them each binary message
is little-endian float32, interleaved. Whatever else arrives is refused by name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError
from ripieno.contracts.formats import AudioFormat
from ripieno.contracts.slow_state import CONTRACT

MOST_BYTES = 1 << 20
RATES_HZ = (4_000, 768_000)
MOST_CHANNELS = 32
ASKS = ("token", "contract", "audio")


@dataclass(frozen=True)
class Ask:
    """One text of a client.

    Parameters
    ----------
    token : str, optional
        Who it is.
    announces : AudioFormat, optional
        Of the sound that follows.
    ends : bool
        Whether its sound is over.
    """

    token: str | None = None
    announces: AudioFormat | None = None
    ends: bool = False


def parse_ask(text: str) -> Ask:
    """Read a text.

    Raises
    ------
    InputError
        If it is no JSON object of that shape, or asks for another contract.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"a text of a client is a JSON object; this is no JSON: {_short(text)}") from error
    if not isinstance(said, dict) or not said:
        raise InputError(f"a text of a client is a JSON object with {_listed(ASKS)}, not {_short(text)}")
    for name in said:
        if name not in ASKS:
            raise InputError(f"unknown field {_short(name)}: a client may say {_listed(ASKS)}")
    if said.get("contract", CONTRACT) != CONTRACT:
        raise InputError(f"this server speaks {CONTRACT}, the client asked for {_short(said['contract'])}")
    token = said.get("token")
    if token is not None and not isinstance(token, str):
        raise InputError("the token is a text")
    audio = said.get("audio")
    return Ask(
        token=token,
        announces=None if audio is None else _audio_format(audio),
        ends="audio" in said and audio is None,
    )


def parse_audio(data: bytes, format: AudioFormat) -> NDArray[np.float32]:
    """Read a binary message: samples [channels, frames], native byte order.

    Raises
    ------
    InputError
        If it ends within a frame, or holds NaN or infinite samples.
    """
    frame = 4 * format.channels
    if len(data) % frame:
        raise InputError(
            f"{len(data)} bytes of audio are no whole number of frames: a frame has {frame} bytes"
        )
    samples = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, format.channels).T
    finite = np.isfinite(samples).all(axis=0)
    if not finite.all():
        raise InputError(f"the audio holds NaN or infinite samples, first in frame {int(finite.argmin())}")
    return samples


def _audio_format(audio: Any) -> AudioFormat:
    if not isinstance(audio, Mapping) or set(audio) != {"rate_hz", "channels"}:
        raise InputError(f'audio is {{"rate_hz": …, "channels": …}} or null, not {_short(json.dumps(audio))}')
    rate_hz = _whole("rate_hz", audio["rate_hz"], *RATES_HZ)
    return AudioFormat(rate_hz, _whole("channels", audio["channels"], 1, MOST_CHANNELS))


def _whole(name: str, value: Any, least: int, most: int) -> int:
    # A browser's sample rate is a double.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
        or value % 1
    ):
        raise InputError(f"{name} is a whole number from {least} to {most}, not {_short(json.dumps(value))}")
    return int(value)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"


def _short(value: Any) -> str:
    """A value of a stranger as part of one line, harmless to a terminal."""
    text = str(value)
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:40])
    return shown if len(text) <= 40 else f"{shown}…"
