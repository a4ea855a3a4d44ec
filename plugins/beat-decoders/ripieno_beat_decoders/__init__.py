"""Decoders: from beat activations to beats and the clock between them."""
