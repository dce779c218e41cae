"""Commands of spe-lab that are long enough for a file of their own."""
