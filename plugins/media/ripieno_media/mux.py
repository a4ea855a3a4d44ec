"""Sound put under a film."""

from dataclasses import replace

from ripieno.contracts import FFMPEG, Audio, Joiner, NoConfig, Video
from ripieno.toolkit.ffmpeg import file_url

from .encoding import AAC, OPUS, REPRODUCIBLE, FullScale, refuse_channels, run_graph, sound_input


class Mux(Joiner[NoConfig]):
    """A film with this sound, and with no other; the picture is copied.

    AAC at 128 kbit/s a channel, Opus in WebM; samples beyond full scale are clipped, and a warning counts
    them. Neither is cut or drawn out where film and sound differ in length.
    """

    binaries = (FFMPEG,)

    def join(self, video: Video, *, audio: Audio) -> Video:
        import ffmpeg

        suffix = video.path.suffix
        path = self.context.new_file(suffix)
        lossy = OPUS if suffix.lower() == ".webm" else AAC
        refuse_channels(audio, path, allowed=lossy.channels)
        picture = ffmpeg.input(file_url(video.path))["v:0"]
        options = {**REPRODUCIBLE, **lossy.options(audio.format), "c:v": "copy"}
        sound = FullScale(audio)
        run_graph(ffmpeg.output(picture, sound_input(audio.format), file_url(path), **options), sound, path)
        if sound.clipped:
            self.context.logger.warning("%d samples beyond full scale were clipped", sound.clipped)
        return replace(video, path=path)
