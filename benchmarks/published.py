"""PromptEval's estimator as its paper gives it, to compare with: an extended Rasch model, fitted by maximum likelihood.

Polo et al., "Efficient multi-prompt evaluation of LLMs" (NeurIPS 2024), section 3: logit P(right_ij) = θ_i + β_j, where
θ is free or linear in covariates, β free; unseen cells get their fitted probability, and quantiles are taken of the
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


def published_quantiles(seen: Floats, covariates: Floats | None = None) -> Floats:
    """Quantiles of the wordings' accuracies at `QUANTILES`.

    Args:
        seen: Shape (wordings, examples), 0 or 1, NaN where not measured.
        covariates: Of the wordings, shape (wordings, covariates); None: an effect of each wording instead.
    """
    known = ~np.isnan(seen)
    rows, columns = np.nonzero(np.ones_like(known))
    wordings = _each(seen.shape[0]) if covariates is None else sparse.csr_matrix(covariates)
    design = sparse.hstack([wordings[rows], _each(seen.shape[1])[columns]], format="csr")
    labels = seen[known]
    if len(set(labels)) < 2:
        return np.full(len(QUANTILES), labels[0])
    model = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear", max_iter=1000)
    model.fit(design[known.ravel()], labels)
    chances = model.predict_proba(design)[:, 1].reshape(seen.shape)
    filled: Floats = np.quantile(np.where(known, seen, chances).mean(axis=1), QUANTILES)
    return filled


def _each(size: int) -> sparse.csr_matrix:
    return sparse.identity(size, format="csr")
