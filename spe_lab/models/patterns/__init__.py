"""The algebra of access patterns: expressions, their misses by formula, and their traces for exact simulations."""
