"""Models that several chapters share: queues, caches, access patterns, predictors, coherence, task graphs."""
