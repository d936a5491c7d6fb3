"""A local model that writes: transformers' sampling over a loaded model.

Knows chat templates and sampling. Does not know what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isophrase.models.extras import local_library
from isophrase.models.writing import Reply, WritingRequest

if TYPE_CHECKING:
    from isophrase.models.huggingface import LoadedModel


class LocalWriter:
    """A loaded model as a writer; nucleus sampling (Holtzman et al. 2020) with p = 0.95.

    Args:
        loaded: The model with its tokenizer.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    @property
    def name(self) -> str:
        return f"{self._loaded.spec.name}@{self._loaded.identity['fingerprint'][:12]}"

    def write(self, requests: Sequence[WritingRequest]) -> list[Reply]:
        """One reply for each request, one after the other."""
        return [self._write(request) for request in requests]

    def _write(self, request: WritingRequest) -> Reply:
        torch = local_library("torch")
        tokenizer, model = self._loaded.tokenizer, self._loaded.model
        if tokenizer.chat_template:
            turns = [{"role": item.role, "content": item.content} for item in request.messages]
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        else:
            text = "\n\n".join(item.content for item in request.messages) + "\n\n"
        tokens = tokenizer(text, return_tensors="pt", add_special_tokens=not tokenizer.chat_template)
        tokens = tokens.to(self._loaded.spec.device)
        length = int(tokens["input_ids"].shape[1])
        room = self._loaded.context_length
        if room is not None and length + request.max_new_tokens > room:
            return Reply("", length, 0, f"prompt and answer need {length + request.max_new_tokens} of {room} tokens")
        torch.manual_seed(request.seed)
        sampling = {"do_sample": True, "temperature": request.temperature, "top_p": 0.95}
        with torch.inference_mode():
            made = model.generate(
                **tokens, max_new_tokens=request.max_new_tokens, pad_token_id=tokenizer.eos_token_id,
                **(sampling if request.temperature > 0 else {"do_sample": False}),
            )  # fmt: skip
        new = made[0] if self._loaded.is_encoder_decoder else made[0][length:]
        return Reply(tokenizer.decode(new, skip_special_tokens=True), length, int(new.shape[0]))
