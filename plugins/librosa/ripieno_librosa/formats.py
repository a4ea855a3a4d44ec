"""What audio a verb takes when it is called without a planner that adapts it."""

from ripieno.contracts import Audio, AudioSpec, InputError


def require_format(audio: Audio, spec: AudioSpec) -> None:
    """Refuse audio of another rate or number of channels.

    Raises
    ------
    InputError
        Saying which effect makes it fit.
    """
    if spec.channels not in (None, audio.channels):
        raise InputError(
            f"the audio has {audio.channels} channels, not {spec.channels}: "
            f"put effect/downmix with channels {spec.channels} before"
        )
    if spec.rate_hz not in (None, audio.rate_hz):
        raise InputError(
            f"the audio has {audio.rate_hz} Hz, not {spec.rate_hz}: "
            f"put effect/resample with rate_hz {spec.rate_hz} before"
        )
