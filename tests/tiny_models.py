"""Small random models with real trained tokenizers, written as folders that load like any other model.

Knows which architectures the tests cover and how to make their weights matter: every matrix is scaled so that logits
differ by several nats, since with the libraries' own initialisation (near-uniform outputs) a wrong attention mask would
hide below any tolerance. Knows nothing of loading or scoring.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

DECODERS = ("llama", "gpt2", "gpt_neox", "gemma2", "gemma3", "qwen2", "qwen3", "mistral")
ENCODER_DECODERS = ("t5", "t5_original")
FAMILIES = (*DECODERS, *ENCODER_DECODERS)
WINDOW = 8
"""Sliding window of the families that have one (mistral, gemma2, gemma3): short, so that short prompts pass it."""

CORPUS = (
    "Read the sentence and say whether its sentiment is positive or negative.",
    "The film was a delight from the first minute to the last, and the actors were wonderful.",
    "The food was cold, the waiter was rude, and we will never come back to this place.",
    "Question: Which of these is a planet? Options: A. the Moon B. Mars C. the Sun D. a comet",
    "Answer with one of the labels: yes, no, maybe. Do not explain your answer.",
    "What is the capital of France? The capital of France is Paris, a city on the river Seine.",
    "Les enfants jouent dans le jardin. Die Kinder spielen im Garten. Los niños juegan en el jardín.",
    "In 1969 two people walked on the Moon; 12 had done so by 1972, and none since then.",
    "Premise: A man plays a guitar. Hypothesis: Somebody makes music. Does the premise entail the hypothesis?",
    "Topic: sports, business, science, or world news? The shares fell by 3.5 % on Monday.",
)
"""What the tokenizers are trained on: text like the tests' prompts, in several languages."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_model(
    folder: Path | str,
    *,
    family: str = "llama",
    seed: int = 0,
    chat: bool = True,
    context: int = 512,
    layers: int = 2,
    unigram: bool | None = None,
) -> Path:
    """Write a small random model and its tokenizer to a folder.

    Args:
        folder: Where to write; made if missing.
        family: One of `FAMILIES`.
        seed: Weights with another seed differ; with the same seed they are equal on every machine.
        chat: Whether the tokenizer has a chat template.
        context: `max_position_embeddings` (T5 has none: its tokenizer's `model_max_length`).
        layers: Number of layers (of encoder and of decoder).
        unigram: A Unigram tokenizer with `▁` for a space (unknown characters become `<unk>`, and the end token is
            added by itself) rather than a byte-level BPE (which takes any text). Default: Unigram for T5, else BPE.

    Returns:
        The folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    unigram = family in ENCODER_DECODERS if unigram is None else unigram
    tokenizer = tiny_tokenizer(unigram=unigram, chat=chat, model_max_length=context)
    model = _model(family, tokenizer, context=context, layers=layers)
    _fill(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if family == "t5":
        _write_config_of_t5_v1_1(folder / "config.json")
    return folder


def tiny_tokenizer(*, unigram: bool = False, chat: bool = True, model_max_length: int = 512) -> Any:
    """A fast tokenizer trained on `CORPUS` (400–500 tokens) with special tokens and, if asked, a chat template."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_unigram() if unigram else _bpe(),
        model_max_length=model_max_length,
        bos_token=None if unigram else "<|im_start|>",
        eos_token="</s>" if unigram else "<|im_end|>",
        pad_token="<pad>",
        unk_token="<unk>" if unigram else None,
        clean_up_tokenization_spaces=False,
    )
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _bpe() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<pad>", "<|im_start|>", "<|im_end|>"],
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _unigram() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    special = ["<pad>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>"]
    pieces = [(token, 0.0) for token in special] + _unigram_pieces(size=400)
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special.index("<unk>")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", special.index("</s>"))]
    )
    return tokenizer


def _unigram_pieces(size: int) -> list[tuple[str, float]]:
    """The commonest pieces of the corpus's words with log P, all ASCII characters among them.

    The library's own Unigram trainer gives another vocabulary on every run, and a fixture must not.
    """
    words = ["▁" + word for line in CORPUS for word in line.split()]
    counts = Counter(chr(code) for code in range(33, 127))
    counts.update(character for word in words for character in word)
    longer = Counter(word[a:b] for word in words for a in range(len(word)) for b in range(a + 2, len(word) + 1))
    ranked = sorted(longer.items(), key=lambda item: (-(item[1] - 1) * len(item[0]), item[0]))
    counts.update(dict(ranked[: size - len(counts)]))
    total = sum(counts.values())
    return [(piece, math.log(count / total)) for piece, count in sorted(counts.items())]


def _model(family: str, tokenizer: Any, *, context: int, layers: int) -> Any:
    import transformers

    special = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "vocab_size": len(tokenizer),
    }
    decoder = special | {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "max_position_embeddings": context,
    }
    grouped = decoder | {"num_key_value_heads": 2, "head_dim": 8}
    alternating = ["sliding_attention" if index % 2 == 0 else "full_attention" for index in range(layers)]
    windowed = grouped | {"sliding_window": WINDOW}
    match family:
        case "llama":
            return transformers.LlamaForCausalLM(transformers.LlamaConfig(**grouped))
        case "gpt2":
            sizes = {"n_embd": 32, "n_layer": layers, "n_head": 4, "n_positions": context}
            return transformers.GPT2LMHeadModel(transformers.GPT2Config(**special, **sizes))
        case "gpt_neox":
            return transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**decoder))
        case "gemma2":
            config = transformers.Gemma2Config(**windowed, layer_types=alternating, query_pre_attn_scalar=8)
            return transformers.Gemma2ForCausalLM(config)
        case "gemma3":
            config = transformers.Gemma3TextConfig(**windowed, layer_types=alternating, query_pre_attn_scalar=8)
            return transformers.Gemma3ForCausalLM(config)
        case "qwen2":
            return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**decoder, num_key_value_heads=2))
        case "qwen3":
            return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**grouped))
        case "mistral":
            return transformers.MistralForCausalLM(transformers.MistralConfig(**windowed))
        case "t5":
            return _t5(tokenizer, layers)
        case "t5_original":
            return _t5_original(tokenizer, layers)
    raise ValueError(f"no such family: {family}; one of {', '.join(FAMILIES)}")


def _t5(tokenizer: Any, layers: int) -> Any:
    """As T5 v1.1 and Flan-T5: gated activation, an output projection of its own, unscaled decoder outputs."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(feed_forward_proj="gated-gelu", tie_word_embeddings=False, **_t5_sizes(tokenizer, layers))
    model = T5ForConditionalGeneration(config)
    # The library ties the projection whatever the config says.
    model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    model.all_tied_weights_keys.pop("lm_head.weight")
    return model


def _t5_original(tokenizer: Any, layers: int) -> Any:
    """As the first T5: ReLU, the output projection tied to the embedding, decoder outputs scaled by 1/√width."""
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(T5Config(**_t5_sizes(tokenizer, layers)))


def _t5_sizes(tokenizer: Any, layers: int) -> dict[str, int]:
    return {
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_heads": 4,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 32,
        "decoder_start_token_id": tokenizer.pad_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _write_config_of_t5_v1_1(path: Path) -> None:
    """The published files say that nothing is tied and know no `scale_decoder_outputs`; the library writes more."""
    config = json.loads(path.read_text())
    del config["scale_decoder_outputs"]
    path.write_text(json.dumps(config | {"tie_word_embeddings": False}, indent=2) + "\n")


def _fill(model: Any, seed: int) -> None:
    """Seeded weights: matrices with a gain that keeps activations near 1, vectors near what the library set."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            if weight.dim() < 2:
                weight.add_(noise, alpha=0.1)
            elif "relative_attention_bias" in name:
                weight.copy_(noise)
            else:
                weight.copy_(noise * 1.5 / math.sqrt(weight.shape[-1]))
