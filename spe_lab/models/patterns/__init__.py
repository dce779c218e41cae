"""The algebra of access patterns: expressions, their misses by formula, and the traces that an exact cache runs."""
