"""What a reader sees and touches. The only room that imports ipywidgets or matplotlib."""
