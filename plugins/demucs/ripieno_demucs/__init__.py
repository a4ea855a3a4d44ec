"""Parts of a recording, separated by Demucs's networks."""
