"""Words that are heard wrongly in a voice, by a speech recognizer and the text that was read.

Conventions
-----------
Words are compared without case and punctuation (see `words_of`). Numbers are compared as they are written:
"12" is not "twelve", so write them in the text as the recognizer does.
"""

import re
import unicodedata
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    Audio,
    ConfigError,
    InputError,
    Metric,
    MissingError,
    PluginConfig,
    Scores,
    Text,
)

from .comparing import Samples, blocks_together, told

RATE_HZ = 16_000
# Without its tokenizer faster-whisper would fetch one.
NEEDED_FILES = ("model.bin", "config.json", "tokenizer.json")
WHERE_FROM = (
    "metric/wer needs a Whisper model in CTranslate2's form: set model to its folder. One is about 150 MB, MIT. "
    "Run: hf download Systran/faster-whisper-base --local-dir whisper-base"
)


class WordErrorsConfig(PluginConfig):
    """Settings of `WordErrors`."""

    model: Path | None = Field(
        None, description="Folder of a Whisper model in CTranslate2's form; nothing is fetched."
    )
    language: str = Field("en", min_length=2, description="Spoken in the audio: en, de, fr, ….")
    beam: int = Field(5, ge=1, le=20, description="Width of the search.")
    compute: Literal["default", "int8", "float16", "float32"] = Field(
        "default", description="Numbers that the model is computed in; default: as it is stored."
    )


class WordErrors(Metric[WordErrorsConfig]):
    """Word error rate of what Whisper hears, by faster-whisper, against a given text.

    References
    ----------
    Radford, Kim, Xu, Brockman, McLeavey, Sutskever: Robust speech recognition via large-scale weak
    supervision. ICML 2023.
    """

    whole_file = True

    @classmethod
    def assets(cls, config: WordErrorsConfig) -> tuple[Path, ...]:
        return (model_folder(config),)

    def measure(self, audio: Audio, text: Text) -> Scores:
        """Figures of `audio` beside `text`.

        Parameters
        ----------
        audio : Audio
            A voice; heard in mono at 16 kHz.
        text : Text
            What is said in it.

        Returns
        -------
        Scores
            ``wer``, errors for each word of the text: 0 = all as written, and more than 1 where more words
            are wrong than there are. ``substitutions``, ``deletions``, ``insertions`` and ``words`` are
            counts. Left out where the text has no words.

        Raises
        ------
        MissingError
            If no model is given, or faster-whisper or jiwer is not installed.
        InputError
            If the folder holds no such model.
        ConfigError
            If the model does not know the language.
        """
        truth = words_of(text.text)
        against = f"the text of {len(truth)} words"
        if not truth:
            return Scores({}, f"{against}; no wer: there is nothing to be wrong")
        heard = words_of(self._heard(audio))
        by = f"heard in {told(audio)} by Whisper ({model_folder(self.config).name}, {self.config.language})"
        return Scores(word_errors(heard, truth), f"{against}, {by}")

    @cached_property
    def _whisper(self) -> Any:
        folder, language = model_folder(self.config), self.config.language
        whisper = load_whisper(folder, device=self.context.device, compute=self.config.compute)
        # A model of English alone would hear English, whatever it is asked for.
        if language not in whisper.supported_languages:
            known = ", ".join(whisper.supported_languages)
            raise ConfigError(f"language: {folder.name} knows {known}, not {language}")
        return whisper

    def _heard(self, audio: Audio) -> str:
        whisper = self._whisper
        blocks = [block[0] for (block,) in blocks_together([audio], rate_hz=RATE_HZ, channels=1)]
        samples: Samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        if not samples.any():
            return ""
        # One temperature: the fallback to others draws random words.
        segments, _ = whisper.transcribe(
            samples,
            language=self.config.language,
            beam_size=self.config.beam,
            temperature=0.0,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text for segment in segments)


def model_folder(config: WordErrorsConfig) -> Path:
    """The folder of the model.

    Raises
    ------
    MissingError
        If none is given, or there is no such folder.
    InputError
        If the folder lacks a file of such a model.
    """
    if config.model is None:
        raise MissingError(WHERE_FROM)
    if not config.model.is_dir():
        raise MissingError(f"{config.model}: no such folder. {WHERE_FROM}")
    missing = [name for name in NEEDED_FILES if not (config.model / name).is_file()]
    if missing:
        raise InputError(f"{config.model} has no {', '.join(missing)}. {WHERE_FROM}")
    return config.model


def words_of(text: str) -> list[str]:
    """Words in lower case without punctuation.

    Compatibility forms are made plain (NFKC), an apostrophe stays within a word, a hyphen parts two words, and
    the commas of thousands and the points of decimals stay with their numbers as "1000" and "3.5".
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    return re.findall(r"\d+(?:\.\d+)+|[^\W_]+(?:'[^\W_]+)*", plain)


def word_errors(heard: list[str], truth: list[str]) -> dict[str, float]:
    """Word error rate and the counts it is made of; `truth` has a word at least.

    Raises
    ------
    MissingError
        If jiwer is not installed.
    """
    try:
        import jiwer
    except ImportError as cause:
        raise MissingError(
            'metric/wer needs jiwer. Run: pip install "ripieno-speech-metrics[wer]"'
        ) from cause
    aligned = jiwer.process_words(" ".join(truth), " ".join(heard))
    return {
        "wer": aligned.wer,
        "substitutions": aligned.substitutions,
        "deletions": aligned.deletions,
        "insertions": aligned.insertions,
        "words": len(truth),
    }


def load_whisper(folder: Path, *, device: str, compute: str) -> Any:
    """A model of faster-whisper from a folder.

    Raises
    ------
    MissingError
        If faster-whisper is not installed.
    InputError
        If the folder holds no such model.
    """
    try:
        from faster_whisper import WhisperModel
    except ImportError as cause:
        raise MissingError(
            'metric/wer needs faster-whisper. Run: pip install "ripieno-speech-metrics[wer]"'
        ) from cause
    place = "cuda" if device == "cuda" else "cpu"
    try:
        return WhisperModel(
            str(folder), device=place, compute_type=compute, cpu_threads=1, local_files_only=True
        )
    # What CTranslate2 and tokenizers raise has no narrower class.
    except Exception as cause:
        reason = str(cause).strip().partition("\n")[0]
        raise InputError(f"{folder}: not a Whisper model that CTranslate2 can load: {reason}") from cause
