"""What of a film is finished: a record beside each segment, written when the segment is whole.

Conventions
-----------
``segments/00012.mp4`` is a whole segment if ``segments/00012.json`` says so and has its SHA-256. Files whose
names begin with a dot are in the making, or were when a run was killed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ripieno.contracts import write_whole
from ripieno.contracts.packing import sha256_file


@dataclass(frozen=True)
class Record:
    """A finished segment.

    Parameters
    ----------
    frames : int
        In it.
    sha256 : str
        Of its file.
    """

    frames: int
    sha256: str


class Journal:
    """The segments of a film in a folder that outlives a crash.

    Parameters
    ----------
    folder : Path
        ``context.checkpoint``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "segments"
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, segment: int) -> Path:
        """File of a segment."""
        return self.folder / f"{segment:05}.mp4"

    def finish(self, segment: int, *, frames: int) -> None:
        """Say that a segment's file is whole."""
        record = Record(frames, sha256_file(self.path(segment)))
        write_whole(self._record_path(segment), json.dumps(asdict(record)).encode())

    def is_finished(self, segment: int, *, frames: int) -> bool:
        """Whether a segment is whole: its file's bytes are those that were recorded."""
        try:
            record = Record(**json.loads(self._record_path(segment).read_text(encoding="utf-8")))
            return record.frames == frames and record.sha256 == sha256_file(self.path(segment))
        except (OSError, ValueError, TypeError):
            return False

    def sweep(self) -> None:
        """Remove what a killed run left unfinished."""
        for path in self.folder.glob(".*"):
            path.unlink(missing_ok=True)

    def _record_path(self, segment: int) -> Path:
        return self.path(segment).with_suffix(".json")
