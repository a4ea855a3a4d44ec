"""Speech without noise, by the causal Demucs networks of facebook's denoiser."""
