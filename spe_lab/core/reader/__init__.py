"""The reader: predictions, exercises, the journal that stores both, and the track record."""
