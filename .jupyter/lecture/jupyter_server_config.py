"""How `make lecture` starts JupyterLab: as `make lab` does, with slides and large type."""

from pathlib import Path

c = get_config()  # noqa: F821 (Jupyter defines it)
load_subconfig("jupyter_server_config.py", path=str(Path(__file__).parents[1]))  # noqa: F821
c.LabApp.custom_css = True  # custom/custom.css, beside this file
c.LabApp.extra_labextensions_path = [str(Path(__file__).parent / "labextensions")]  # keys
