"""What is heard of notes that were planned: onset, pitch, level, and how far labels are from the sound."""
