"""Which moment a frame stands at, however frames are dealt out to calls."""


def frame_times(start_s: float, count: int, *, fps: float) -> list[float]:
    """Seconds of `count` frames, the first at `start_s`; a whole number of frames from 0."""
    first = round(start_s * fps)
    return [(first + frame) / fps for frame in range(count)]
