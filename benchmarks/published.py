"""PromptEval's estimator as its paper gives it, to compare with: an extended Rasch model, fitted by maximum likelihood.

Polo et al., "Efficient multi-prompt evaluation of LLMs" (NeurIPS 2024), section 3: logit P(right_ij) = θ_i + β_j, where
θ and β are free or linear in covariates; unseen cells get their fitted probability, and quantiles are taken of the
rows' means. The distribution of this name on PyPI holds no code, so the formulas are written out here, with
scikit-learn's logistic regression.

Knows tables with missing cells. Does not know how the cells were chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from isophrase.statistics.measures import QUANTILES

Floats = NDArray[np.float64]
_INVERSE_PENALTY = 100.0
"""Nearly none, as a maximum of likelihood alone does not exist for a wording that is always right."""


def published_quantiles(seen: Floats, instructions: Floats | None = None, examples: Floats | None = None) -> Floats:
    """Quantiles of the wordings' accuracies at `QUANTILES`.

    Args:
        seen: Shape (wordings, examples), 0 or 1, NaN where not measured.
        instructions: Covariates of wordings, or None for an effect of each.
        examples: Covariates of examples, or None for an effect of each.
    """
    known = ~np.isnan(seen)
    rows, columns = np.nonzero(np.ones_like(known))
    design = sparse.hstack([_columns(instructions, seen.shape[0])[rows], _columns(examples, seen.shape[1])[columns]])
    design = design.tocsr()
    labels = seen[known]
    if len(set(labels)) < 2:
        return np.full(len(QUANTILES), labels[0])
    model = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear", max_iter=1000)
    model.fit(design[known.ravel()], labels)
    chances = model.predict_proba(design)[:, 1].reshape(seen.shape)
    filled: Floats = np.quantile(np.where(known, seen, chances).mean(axis=1), QUANTILES)
    return filled


def _columns(covariates: Floats | None, size: int) -> sparse.csr_matrix:
    return sparse.identity(size, format="csr") if covariates is None else sparse.csr_matrix(covariates)
