"""The topics: one module (or package) for each, named by its stem."""
