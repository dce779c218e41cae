"""Controls and figure of an explorer are seen together: by bounding boxes."""

import json

from .jupyter import Notebook

WINDOWS = ((1440, 900), (1280, 720))
# JupyterLab takes cells out of the page that are far away: each one is scrolled to.
BOXES = """
const {content} = jupyterapp.shell.currentWidget, found = [], frame = () => new Promise(requestAnimationFrame);
const parts = {slider: '.spe-control', button: '.spe-side button', figure: '.spe-picture'};
const box = part => part.getBoundingClientRect().toJSON();
for (let index = 0; index < content.widgets.length; index++) {
  if (!/explore\\(/.test(content.widgets[index].model.sharedModel.source)) continue;
  await content.scrollToItem(index, 'start');
  const explorer = () => content.widgets[index].node.querySelector('.spe-explorer');
  for (let tries = 0; tries < 60 && !explorer(); tries++) await frame();
  if (!explorer()) continue;  // a cell that only makes one
  // Cells above are drawn meanwhile, and move this one: until it rests.
  for (let tries = 0, top = NaN, rests = 0; tries < 60 && rests < 3; tries++) {
    explorer().scrollIntoView({block: 'start'});
    await new Promise(done => setTimeout(done, 50));
    rests = explorer().getBoundingClientRect().top === top ? rests + 1 : 0;
    top = explorer().getBoundingClientRect().top;
  }
  found.push({cell: index, panel: box(explorer().closest('.jp-WindowedPanel-outer')),
    ...Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, box(explorer().querySelector(part))]))});
}
return found;
"""


def hidden(notebook, width, height):
    """What is not whole in a window of this size, for each explorer: its cell, the part and the boxes."""
    notebook.page.set_viewport_size({"width": width, "height": height})
    notebook.page.wait_for_timeout(300)
    complaints, explorers = [], notebook.evaluate(BOXES)
    for boxes in explorers:
        panel, where = boxes["panel"], f"cell {boxes['cell']}, {width} × {height}"
        for part in ("slider", "button", "figure"):
            box = boxes[part]
            whole = panel["top"] - 1 <= box["top"] and box["bottom"] <= panel["bottom"] + 1
            if not (whole and box["width"] > 60 and box["right"] <= panel["right"] + 1):
                complaints.append(f"{where}: {part} {json.dumps(box)} in {json.dumps(panel)}")
        if boxes["figure"]["left"] < boxes["slider"]["right"]:
            complaints.append(f"{where}: the figure does not stand beside the controls")
    return complaints if explorers else ["no explorer was found"]


def apart(notebook: Notebook) -> list[str]:
    """What is not seen in one window, with the folder list open, as JupyterLab starts, and without it."""
    before, complaints = notebook.page.viewport_size, []
    for _ in ("open", "closed"):
        for window in WINDOWS:
            complaints += hidden(notebook, *window)
        notebook.evaluate("await jupyterapp.commands.execute('application:toggle-left-area')")
    notebook.page.set_viewport_size(before)
    return complaints
