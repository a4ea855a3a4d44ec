"""Features, separation, beats and sections, by librosa."""
