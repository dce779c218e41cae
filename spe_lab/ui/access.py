"""Names for sliders that a screen reader can say.

ipywidgets (8.1) writes a slider's description beside it and leaves the handle, which has the focus, without a name; the
handle of a slider that chooses from a list has the number of the option for its value. Neither can be set from Python.
The page that a slider stands on can do so itself: a style sheet's `onload`, unlike a script's text, runs wherever it is
put into a page, and again when JupyterLab takes a cell out of sight and back.
"""

import html

import ipywidgets as widgets

_CLASS = "spe-page"
_LABEL = """
const page = this.closest('.spe-page');
const label = () => {
  for (const handle of page.querySelectorAll('.noUi-handle')) {
    const slider = handle.closest('.widget-inline-hbox, .widget-inline-vbox');
    const [name, value] = ['.widget-label', '.widget-readout'].map(part => slider?.querySelector(part));
    const title = [name?.textContent, name?.title].filter(Boolean).join(': ');
    const say = (element, attribute, text) => text && element.getAttribute(attribute) !== text && element.setAttribute(attribute, text);
    say(handle, 'aria-label', title);
    say(handle, 'aria-valuetext', value?.textContent);
    if (value?.getAttribute('contenteditable') === 'true') { say(value, 'role', 'textbox'); say(value, 'aria-label', title); }
  }
};
label();
if (!page.labels) {
  page.labels = new MutationObserver(label);
  page.labels.observe(page, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-valuetext']});
}
"""


def named(page: widgets.Box) -> widgets.Box:
    """The page, with a part out of sight that gives its sliders their names and values."""
    page.add_class(_CLASS)
    page.children = (
        *page.children,
        widgets.HTML(
            f'<style onload="{html.escape(_LABEL, quote=True)}"></style>', layout=widgets.Layout(display="none")
        ),
    )
    return page
