"""The gate that looks at nothing but embeddings: mean-pooled hidden states of the embedded model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MODEL = "smollm2-135m-instruct"


def similarities(pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
    """Cosine of the mean last hidden states of both texts of each pair, shape (pairs,)."""
    import torch

    from isophrase.models.huggingface import load
    from isophrase.types import ModelSpec

    loaded = load(ModelSpec(MODEL, MODEL, dtype="float32"))
    texts = sorted({text for pair in pairs for text in pair})
    vectors = {}
    with torch.inference_mode():
        for text in texts:
            tokens = loaded.tokenizer(text, return_tensors="pt")
            hidden = loaded.model(**tokens, output_hidden_states=True).hidden_states[-1][0]
            mean = hidden.mean(dim=0).double().numpy()
            vectors[text] = mean / np.linalg.norm(mean)
    return np.array([float(vectors[one] @ vectors[other]) for one, other in pairs])
