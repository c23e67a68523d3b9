"""Makes a tiny random Llama with a chat template, for a real model server to serve. Run with the peer's Python.

    python tiny_model.py FOLDER

About 100 thousand parameters and seconds of work; what it says is noise, but real tokens, counted and streamed.
"""

from __future__ import annotations

import string
import sys

_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def make(folder: str) -> None:
    """Writes weights, configuration and tokenizer to `folder`."""
    import torch  # type: ignore[import-not-found,unused-ignore]
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (  # type: ignore[import-not-found,unused-ignore]
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    special = ["<unk>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    # One token a character: every text can be encoded, and every token that comes out is text.
    vocabulary = {token: number for number, token in enumerate([*special, *string.printable])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    raw.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        unk_token="<unk>",
        eos_token="<|end|>",
        pad_token="<|end|>",
        additional_special_tokens=special[2:],
        chat_template=_TEMPLATE,
    )
    tokenizer.save_pretrained(folder)

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        bos_token_id=vocabulary["<|end|>"],
        eos_token_id=vocabulary["<|end|>"],
        pad_token_id=vocabulary["<|end|>"],
    )
    LlamaForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    make(sys.argv[1])
