"""Everything on a page of JupyterLab that a reader can move or press, touched one after the other.

    touched = Touch(notebook)
    notebook.run_all()
    touched.shown()             # complaints; empty where each control can be seen and has a name
    touched.everything()        # complaints; empty where each control answered and nothing went wrong

An error in a widget's callback is neither an output of a cell nor an error of the page: the kernel only reports it. So
the messages of the kernel are listened to, from before the first cell runs.
"""

from collections.abc import Iterator
from typing import Any

from .jupyter import Notebook

QUIET_MS = 60  # without a new picture or text: all answers to a move have come
PATIENCE_MS = 20_000  # how fast answers come is measured elsewhere, on a machine that does nothing else
SOON_MS = 1000
RUN_MS = 8000  # a short measurement is over by then; what still runs is something longer, and is cancelled

_LIBRARY = """
window.complaints = [];
const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
kernel.iopubMessage.connect((_, {header: {msg_type}, content}) => {
  if (msg_type === 'error') complaints.push(`${content.ename}: ${content.evalue}`);
  // The page asks for widgets of an earlier time before the kernel has any; ipykernel notes that, and nothing is wrong.
  if (msg_type === 'stream' && content.name === 'stderr' && !content.text.startsWith('No such comm')) complaints.push(content.text);
});
const visible = element => element.checkVisibility({checkVisibilityCSS: true}) && element.getClientRects().length > 0;
const seen = () => {
  const root = touched.closest('.jp-OutputArea-output');
  const pictures = [...root.querySelectorAll('img, svg')].map(each => each.src ?? each.outerHTML).join();
  return {pictures, all: pictures + [...root.querySelectorAll('.widget-html-content, button, [role=status], [role=alert]')].map(each => each.outerHTML).join()};
};
let last = {};  // asked for every few milliseconds, and made anew where the page has changed
new MutationObserver(() => { last = {}; }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
const look = () => {
  if (last.of !== touched) last = {of: touched, ...seen()};
  return last;
};
const pause = ms => new Promise(done => setTimeout(done, ms));
const within = async (ms, condition) => {
  for (const began = performance.now(); performance.now() - began < ms; await pause(10)) if (condition()) return true;
  return false;
};
const settled = async ms => {
  for (let before = look().all, since = performance.now(); performance.now() - since < ms; await pause(20))
    if (look().all !== before) { before = look().all; since = performance.now(); }
};
const row = () => touched.closest('.widget-inline-hbox, .widget-inline-vbox');
const label = () => row()?.querySelector('.widget-label')?.textContent || touched.textContent.trim() || touched.getAttribute('aria-label') || 'without a name';
Object.assign(window, {visible, look, within, settled, row, label});
"""
# Controls are known by their order of appearance; a touched one is marked, so that those which a fold brings to light
# are told apart.
_NEXT = """
const fresh = [...document.querySelectorAll(`.jp-OutputArea-output :is(${a})`)].find(each => !each.dataset.touched && visible(each) && !each.disabled);
if (!fresh) return null;
fresh.dataset.touched = 'yes';
window.touched = fresh;
fresh.scrollIntoView({block: 'center'});
window.before = look();
const end = fresh.getAttribute('aria-valuenow') === fresh.getAttribute('aria-valuemax');
const first = [null, undefined, fresh].includes(fresh.closest('.spe-page')?.querySelector('.noUi-handle'));
return {label: label(), first, end, text: fresh.textContent.trim(), uploads: fresh.classList.contains('widget-upload')};
"""
# Where it stays: scrolling to it may have made JupyterLab draw what stands above, and move it.
_PLACE = """
const found = () => { touched.scrollIntoView({block: 'center'}); return touched.getBoundingClientRect(); };
let place = found();
for (let before; before?.left !== place.left || before.top !== place.top;) {
  before = place;
  await new Promise(requestAnimationFrame);
  place = found();
}
const track = touched.closest('.noUi-target')?.getBoundingClientRect();
const value = touched.getAttribute('aria-valuenow');
const here = [place.left + place.width / 2, place.top + place.height / 2];
if (!track) return {here};
const at = share => track.width > track.height ? [track.left + share * track.width, here[1]] : [here[0], track.bottom - share * track.height];
return {here, value, end: at(1), start: at(0), third: at(0.29)};
"""
# Of one page: the controls that can be seen, those without a name, and those that have not been seen by any look.
_SHOWN = """
const all = [...document.querySelectorAll(`.jp-OutputArea-output :is(${a})`)];
for (const each of all) if (visible(each)) each.dataset.shown = 'yes';
return all.map(each => { window.touched = each; return {label: label(), shown: each.dataset.shown === 'yes', html: each.outerHTML.slice(0, 120)}; });
"""
_FEEL = "window.arrived = false; touched.addEventListener('click', () => { arrived = true; }, {once: true});"
_ANSWER = f"""
const [what, patience] = a;
const answered = await within(patience, () => look()[what] !== before[what]);
await settled({QUIET_MS});
window.before = look();
return {{answered, said: complaints.splice(0)}};
"""
# The picture may show an earlier place of the slider than the slider itself. At its default a model's slider is not
# named.
_STALE = f"""
const value = row()?.querySelector('.widget-readout')?.textContent?.replace('−', '-');
if (!value) return null;
const twin = () => ` · ${{touched.closest('.spe-page')?.querySelector('.spe-state')?.textContent}}`;
const agree = () => !twin().includes(` · ${{label()}} `) || twin().includes(` · ${{label()}} ${{isNaN(value) ? value : Number(value)}}`);
return await within({PATIENCE_MS}, agree) ? null : `its readout says ${{value}}, its twin${{twin()}}`;
"""
# A cursor that blinks and colours that fade have the whole page drawn 25 times a second: 8 % of all that such a test
# computes.
_STILL = "*, *::before, *::after { animation: none !important; transition: none !important; }"
_RESET = (
    "[...touched.closest('.spe-page')?.querySelectorAll('button') ?? []].find(each => each.textContent.trim() ==="
    " 'Reset')?.click()"
)


CONTROLS = {
    "slider": ".noUi-handle",
    "list": ".widget-dropdown select",
    "button": "button:not(.lm-Accordion-title)",
}


class Touch:
    """Listens to the kernel of `notebook`, and moves what its outputs hold."""

    def __init__(self, notebook: Notebook):
        self.notebook, self.page = notebook, notebook.page
        notebook.evaluate(_LIBRARY)
        notebook.page.add_style_tag(content=_STILL)

    def shown(self) -> list[str]:
        """Opens each fold, and touches nothing else."""
        complaints = self._said("before anything was touched")
        selector = ", ".join(CONTROLS.values())
        controls = self.notebook.evaluate(_SHOWN, selector)
        while self._open_fold():
            controls = self.notebook.evaluate(_SHOWN, selector)
        complaints += [f"cannot be seen: {control['html']}" for control in controls if not control["shown"]]
        complaints += [f"no name: {control['html']}" for control in controls if control["label"] == "without a name"]
        return complaints + self._said("opening the folds")

    def _said(self, when: str) -> list[str]:
        return [f"{when}: {said}" for said in self.notebook.evaluate("return complaints.splice(0)")]

    def everything(self) -> list[str]:
        """Moves each slider with the mouse, the first of an explorer by a key, too, chooses from each list, presses
        each button, opens each fold on the way.
        """
        complaints = self._said("before anything was touched")
        while True:  # a fold that opens shows more of them
            for name, touch in (("slider", self._slider), ("list", self._list), ("button", self._button)):
                for control in self._controls(CONTROLS[name]):
                    complaints += [f"{name} {control['label']!r}: {said}" for said in touch(control)]
            if not self._open_fold():
                return complaints

    def _controls(self, selector: str) -> Iterator[dict[str, Any]]:
        while control := self.notebook.evaluate(_NEXT, selector):
            yield control

    def _open_fold(self) -> bool:
        closed = (
            ".jp-OutputArea-output .jupyter-widget-Accordion-child:not(.jupyter-widget-Accordion-child-active)"
            " .jupyter-widget-Collapse-header"
        )
        fold = self.notebook.evaluate(_NEXT, closed.partition(" ")[2])
        if fold:
            self._click()
            self.notebook.evaluate(f"await settled({QUIET_MS})")
        return fold is not None

    def _slider(self, control: dict[str, Any]) -> list[str]:
        found = []
        if control["first"]:
            self.notebook.evaluate("touched.focus({preventScroll: true})")
            self.page.keyboard.press("ArrowLeft" if control["end"] else "ArrowRight")
            found += self._answer("all", "a key")
        dragged, said = self._drag()
        if not dragged:  # where others were moved to, this one may have nothing to change
            self.notebook.evaluate(_RESET)
            said += self._answer("all", "Reset")
            dragged, more = self._drag(
                to="start", shows="all"
            )  # one that needs a choice of another list is named in the text
            said += more
        found += said if dragged else [*said, "no new picture after a drag"]
        stale = self.notebook.evaluate(_STALE)
        return found + ([stale] if stale else [])

    def _drag(self, to: str = "third", shows: str = "pictures") -> tuple[bool, list[str]]:
        """Below the middle; where that shows nothing new, to the end and back, without letting go: whether the picture
        changed, and what the kernel said.
        """
        place = self.notebook.evaluate(_PLACE)
        self.page.mouse.move(*place["here"])
        self.page.mouse.down()
        self.page.mouse.move(*place[to])
        moved = self.notebook.evaluate("return touched.getAttribute('aria-valuenow') !== a", place["value"])
        changed, said = self._answered(shows, "a drag", SOON_MS) if moved else (False, [])
        if not changed:  # it was there already, or shows the same from there
            self.page.mouse.move(*place["end"])
            changed, more = self._answered(shows, "a drag to the end", SOON_MS)
            self.page.mouse.move(*place[to])
            said += more
        self.page.mouse.up()
        return changed, said

    def _click(self) -> None:
        """One click that the control feels: the page may draw something above it while the pointer is on its way."""
        for _ in range(3):
            self.page.mouse.click(*self.notebook.evaluate(_FEEL + _PLACE)["here"])
            if self.notebook.evaluate("return arrived"):
                return

    def _list(self, control: dict[str, Any]) -> list[str]:
        body = (
            "const last = touched.options.length - 1; touched.selectedIndex = touched.selectedIndex === last ? 0 : last"
        )
        self.notebook.evaluate(f"{body}; touched.dispatchEvent(new Event('change', {{bubbles: true}}))")
        return self._answer("all", "another choice")

    def _button(self, control: dict[str, Any]) -> list[str]:
        if control["uploads"]:
            with self.page.expect_file_chooser():
                self._click()
            return []
        self._click()
        found = self._answer("all", "a click")
        changed = f"touched.textContent.trim() !== {control['text']!r}"
        if self.notebook.evaluate(f"return {changed}"):  # it runs, and the same button now ends it
            if not self.notebook.evaluate(f"return within({RUN_MS}, () => !({changed}))"):
                self._click()
                if not self.notebook.evaluate(f"return within({PATIENCE_MS}, () => !({changed}))"):
                    found.append("could not be cancelled")
            found += self._answer("all", "the end of what it ran")
        return found

    def _answer(self, what: str, cause: str) -> list[str]:
        answered, said = self._answered(what, cause, PATIENCE_MS)
        return said if answered else [f"no answer to {cause}", *said]

    def _answered(self, what: str, cause: str, patience_ms: int) -> tuple[bool, list[str]]:
        answer = self.notebook.evaluate(_ANSWER, [what, patience_ms])
        return answer["answered"], [f"{cause} made the kernel say {said}" for said in answer["said"]]
