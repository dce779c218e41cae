"""Pages, widgets and figures. No other part of the package imports ipywidgets or matplotlib."""
