"""How the network of `separator/speech_mask` is trained; nothing of this is needed to run it."""
