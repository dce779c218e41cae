"""The reader: predictions, exercises, the journal that keeps both, and the track record that follows from it."""
