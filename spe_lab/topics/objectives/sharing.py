"""Shares of requests with their intervals, and the seed of this chapter's simulations."""

import numpy as np

from spe_lab.models.queues import batches

SEED = 1


def share(happened: np.ndarray) -> batches.Estimate:
    """Estimate the share of true values in `happened`; the upper end is at least 3 / n (rule of three)."""
    estimate = batches.mean(happened.astype(float))
    return estimate._replace(low=max(estimate.low, 0.0), high=min(max(estimate.high, 3 / len(happened)), 1.0))
