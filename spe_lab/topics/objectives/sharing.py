"""The share of requests for which something happened, with its interval, and the seed of this chapter's simulations."""

import numpy as np

from spe_lab.models.queues import batches

SEED = 1


def share(happened: np.ndarray) -> batches.Estimate:
    """The share of requests for which something happened; where it was never seen, up to three times in as many
    requests it may yet.
    """
    found = batches.mean(happened.astype(float))
    return found._replace(low=max(found.low, 0.0), high=min(max(found.high, 3 / len(happened)), 1.0))
