"""How `make lab` starts JupyterLab: on a desktop, on a server, and as root in a container. Arguments on the command
line win.
"""

import os

root = hasattr(os, "geteuid") and os.geteuid() == 0

c = get_config()  # noqa: F821 (Jupyter defines it)
c.ServerApp.allow_root = root  # in a container one usually is root, and Lab would refuse to start
c.ServerApp.open_browser = bool(os.environ.get("DISPLAY")) and not root
c.ServerApp.ip = os.environ.get("LAB_IP", "127.0.0.1")  # 0.0.0.0 only where a container publishes the port
c.ServerApp.port = int(os.environ.get("LAB_PORT", "8888"))
c.FileContentsManager.delete_to_trash = False  # containers have no trash
c.LabApp.extension_manager = "readonly"  # keeps Lab off the package index; the token stays on
