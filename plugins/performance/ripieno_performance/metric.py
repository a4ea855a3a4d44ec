"""How well a performance that was found agrees with the true one.

Conventions
-----------
The tolerance stands in each figure's name. Players are not told apart: the notes of all make one set.
A note's pitch is the median over its length. What the reference masks is not scored: a note masked in
pitch is neither found nor missed, and excuses one note beside its onset; a masked channel has no error.
"""

from pydantic import Field

from ripieno.contracts import Metric, Performance, PluginConfig, Scores
from ripieno.contracts.performance import PITCH

from .agreement import (
    NoteSet,
    Pairs,
    envelope_errors,
    excused,
    macro_f1,
    matched,
    raw_pitch_accuracy,
)


class PerformanceScoresConfig(PluginConfig):
    """Settings of `PerformanceScores`."""

    onset_tolerance_s: float = Field(
        0.05, gt=0, description="How far onsets may lie apart.", json_schema_extra={"unit": "s"}
    )
    pitch_tolerance_cents: float = Field(
        50.0, gt=0, description="How far pitches may lie apart.", json_schema_extra={"unit": "cents"}
    )
    offset_ratio: float = Field(
        0.2,
        gt=0,
        description="How far offsets may lie apart, as a share of the true note's length; 50 ms at least.",
    )
    frame_rate_hz: float = Field(
        100.0,
        gt=0,
        description="Frames at which curves are compared.",
        json_schema_extra={"unit": "Hz"},
    )


class PerformanceScores(Metric[PerformanceScoresConfig]):
    """Agreement of notes, pitch, techniques and articulation with a reference.

    References
    ----------
    Bay, Ehmann, Downie: Evaluation of multiple-F0 estimation and tracking systems. ISMIR 2009.
    Poliner et al.: Melody transcription from music audio: approaches and evaluation. IEEE TASLP 15(4), 2007.
    Raffel et al.: mir_eval: a transparent implementation of common MIR metrics. ISMIR 2014.
    """

    def measure(self, reference: Performance, estimated: Performance) -> Scores:
        """Figures of `estimated` beside `reference`.

        Parameters
        ----------
        reference : Performance
            As it was played.
        estimated : Performance
            As it was found.

        Returns
        -------
        Scores
            With the tolerances in the names: ``note_precision_…``, ``note_recall_…`` and ``note_f1_…``, by onset
            and pitch, and again by offset too; ``raw_pitch_accuracy_…``, the share of true pitches, frame by
            frame, that are sounded within 50, 25 and 10 cents; ``articulation_macro_f1_…`` and for each channel
            ``envelope_error_…``, its mean absolute error in its unit (pitch: cents), over notes that match by
            onset and pitch. What cannot be measured is left out.
        """
        truth = NoteSet.of(note for note in reference.notes if PITCH not in note.masked)
        found = NoteSet.of(estimated.notes)
        masked_s = [note.onset_s for note in reference.notes if PITCH in note.masked]
        pairs = self._matched(truth, found)
        by_offset = self._matched(truth, found, offset_ratio=self.config.offset_ratio)
        tolerance = self._tolerance
        offset = f"{tolerance}_offset_{100 * self.config.offset_ratio:g}percent"
        values = {
            **self._agreement(pairs, truth, found, masked_s, tolerance),
            **self._agreement(by_offset, truth, found, masked_s, offset),
            **raw_pitch_accuracy(reference, estimated, rate_hz=self.config.frame_rate_hz),
        }
        notes = [(truth.notes[one], found.notes[other]) for one, other in pairs]
        unsaid = reference.masked_outputs
        if notes and "articulation" not in unsaid:
            words = [(one.articulation, other.articulation) for one, other in notes]
            values[f"articulation_macro_f1_{tolerance}"] = macro_f1(words)
        errors = envelope_errors(notes, rate_hz=self.config.frame_rate_hz, unsaid=unsaid)
        values |= {f"envelope_error_{name}_{tolerance}": error for name, error in errors.items()}
        more = f", and {len(masked_s)} whose pitch is masked" if masked_s else ""
        return Scores(values, f"{len(truth.notes)} notes of the reference{more}")

    @property
    def _tolerance(self) -> str:
        onset_ms = 1000 * self.config.onset_tolerance_s
        return f"onset_{onset_ms:g}ms_pitch_{self.config.pitch_tolerance_cents:g}cents"

    def _matched(self, truth: NoteSet, found: NoteSet, *, offset_ratio: float | None = None) -> Pairs:
        return matched(
            truth,
            found,
            onset_tolerance_s=self.config.onset_tolerance_s,
            pitch_tolerance_cents=self.config.pitch_tolerance_cents,
            offset_ratio=offset_ratio,
        )

    def _agreement(
        self, pairs: Pairs, truth: NoteSet, found: NoteSet, masked_s: list[float], tolerance: str
    ) -> dict[str, float]:
        taken = {other for _, other in pairs}
        others_s = [note.onset_s for index, note in enumerate(found.notes) if index not in taken]
        forgiven = excused(masked_s, others_s, onset_tolerance_s=self.config.onset_tolerance_s)
        wanted, given = len(truth.notes), len(found.notes) - forgiven
        return {
            f"note_precision_{tolerance}": len(pairs) / max(1, given),
            f"note_recall_{tolerance}": len(pairs) / max(1, wanted),
            f"note_f1_{tolerance}": 2 * len(pairs) / max(1, given + wanted),
        }
