"""Files of sound, film and picture, and what makes sound fit: rate, channels, loudness."""
