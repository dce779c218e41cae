"""The algebra of access patterns: expressions, formulas for their misses, and their traces."""
