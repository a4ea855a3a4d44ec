"""A Whisper model of no use but to say given words, as the files that CTranslate2 and tokenizers read."""

import json
from pathlib import Path

import numpy as np

DEPTH, FRAMES, PLACES = 128, 1500, 448
SPECIAL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
TIMESTAMPS = tuple(f"<|{index * 0.02:.2f}|>" for index in range(1501))


def write_tiny_whisper(folder: Path, words: list[str]) -> Path:
    """Write a model that says `words` in every 30 s, whatever it hears, into `folder`."""
    vocabulary = write_tokenizer(folder, words)
    write_model(folder, vocabulary, words)
    return folder


def write_tokenizer(folder: Path, words: list[str]) -> list[str]:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = {token: index for index, token in enumerate([*letters, *dict.fromkeys(f"Ġ{w}" for w in words)])}
    tokenizer = Tokenizer(models.BPE(vocab=pieces, merges=[], fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (*SPECIAL, *TIMESTAMPS)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return [*pieces, *SPECIAL, *TIMESTAMPS]


def write_model(folder: Path, vocabulary: list[str], words: list[str]) -> None:
    from ctranslate2.specs import WhisperSpec

    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((len(vocabulary), DEPTH)).astype(np.float32)
    tokens -= tokens.mean(axis=1, keepdims=True)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    said = ["<|0.00|>", *(f"Ġ{word}" for word in words), "<|29.00|>", "<|endoftext|>"]
    # So small a vocabulary counts as English alone, whose prompt is one token: place 0 says what comes first.
    # The token at a place hardly matters beside the code of the place, which is that of the token to say next.
    places = np.zeros((PLACES, DEPTH), np.float32)
    for place, token in enumerate(said):
        places[place] = 100 * tokens[vocabulary.index(token)]
    places[len(said) :] = 100 * tokens[vocabulary.index("<|endoftext|>")]

    spec = WhisperSpec(1, 1, 1, 1)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight = np.zeros((DEPTH, 80, 3), np.float32)
    encoder.conv2.weight = np.zeros((DEPTH, DEPTH, 3), np.float32)
    encoder.conv1.bias = encoder.conv2.bias = np.zeros(DEPTH, np.float32)
    encoder.position_encodings.encodings = np.zeros((FRAMES, DEPTH), np.float32)
    decoder.position_encodings.encodings = places
    decoder.embeddings.weight = tokens
    decoder.projection.weight = tokens
    for norm in (encoder.layer_norm, decoder.layer_norm):
        pass_through(norm)
    for layer in (*encoder.layer, *decoder.layer):
        silence_attention(layer.self_attention, parts=(3, 1))
        if hasattr(layer, "attention"):
            silence_attention(layer.attention, parts=(1, 2, 1))
        pass_through(layer.ffn.layer_norm)
        for linear in (layer.ffn.linear_0, layer.ffn.linear_1):
            silence(linear, rows=DEPTH)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = [vocabulary.index("<|en|>")]
    spec.config.alignment_heads = [(0, 0)]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(folder))
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))


def pass_through(norm) -> None:
    norm.gamma, norm.beta = np.ones(DEPTH, np.float32), np.zeros(DEPTH, np.float32)


def silence(linear, *, rows: int) -> None:
    linear.weight, linear.bias = np.zeros((rows, DEPTH), np.float32), np.zeros(rows, np.float32)


def silence_attention(attention, *, parts: tuple[int, ...]) -> None:
    pass_through(attention.layer_norm)
    for linear, part in zip(attention.linear, parts, strict=True):
        silence(linear, rows=part * DEPTH)
