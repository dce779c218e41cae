// Keys for a lecture. A JupyterLab extension as a browser loads it: written by hand, so it needs no build.
//
// jupyterlab-slideshow shows the slides; it decides by the active cell which cells are on the screen. Its keys go from
// cell to cell. Those here go from slide to slide, and first through one that is taller than the screen.
(() => {
  "use strict";
  const NAME = "spe-lab-lecture";
  const BEGINNINGS = ["slide", "subslide", "fragment"];
  const KEYS = {
    "ArrowRight": ["lecture:next"], "ArrowDown": ["lecture:next"], "PageDown": ["lecture:next"], " ": ["lecture:next"],
    "ArrowLeft": ["lecture:back"], "ArrowUp": ["lecture:back"], "PageUp": ["lecture:back"], "Shift+ ": ["lecture:back"],
    "Home": ["lecture:end", {last: false}], "End": ["lecture:end", {last: true}],
    "F9": ["lecture:run", {cells: "slide"}], "Shift+F9": ["lecture:run", {cells: "above"}],
    "Ctrl+F9": ["lecture:run", {cells: "all"}],
    "Shift+PageDown": ["lecture:chapter", {key: "next"}], "Shift+PageUp": ["lecture:chapter", {key: "previous"}],
    "n": ["lecture:notes"],
  };
  const MARGIN = 24; // so many px below the screen are padding

  let shared = {}; // modules of JupyterLab

  const meta = (cell, key) => cell.model.getMetadata(key);
  const kind = cell => meta(cell, "slideshow")?.slide_type;

  function activate(app) {
    const {commands, shell} = app;
    const presenting = () => document.body.dataset.jpDeckMode === "presenting" && shell.currentWidget?.content?.widgets
      ? shell.currentWidget : null;
    const notebook = () => presenting()?.content;
    const lecture = () => presenting()?.model?.getMetadata("lecture") ?? {};
    const scroller = () => notebook().node.querySelector(".jp-WindowedPanel-outer") ?? notebook().node;
    const beginnings = () => notebook().widgets.flatMap((cell, i) => BEGINNINGS.includes(kind(cell)) ? [i] : []);
    // A fragment stays on the screen when the next one comes; a slide's first cell is the last beginning that is none.
    const first = index => {
      const {widgets} = notebook();
      return Math.max(0, ...beginnings().filter(i => i <= index && kind(widgets[i]) !== "fragment"));
    };
    const end = index => {
      const {widgets} = notebook();
      return beginnings().find(i => i > index && kind(widgets[i]) !== "fragment") ?? widgets.length;
    };

    function go(index) {
      notebook().deselectAll();
      notebook().activeCellIndex = index;
      notebook().mode = "command";
      focus();
      scroller().scrollTop = 0;
    }

    function focus() {
      notebook()?.activeCell?.node.focus({preventScroll: true});
    }

    // How many px of the slide lie below the screen. What an explorer has below its figure is for a reader at a desk.
    function below() {
      const ends = [...notebook().node.querySelectorAll(".jp-deck-mod-visible")].map(
        cell => (cell.querySelector(".spe-picture") ?? cell).getBoundingClientRect().bottom);
      return Math.max(...ends) - scroller().getBoundingClientRect().bottom;
    }

    function step(direction) {
      const view = scroller();
      const active = notebook().activeCellIndex;
      const starts = beginnings();
      const here = Math.max(starts[0], ...starts.filter(i => i <= active));
      const to = direction > 0 ? starts.find(i => i > here) : starts.findLast(i => i < here);
      if (direction > 0 ? below() > MARGIN : view.scrollTop > MARGIN) {
        view.scrollTop += direction * 0.8 * view.clientHeight;
      } else if (to !== undefined) {
        go(to);
      }
    }

    async function run(which) {
      const panel = presenting();
      const {activeCellIndex: active, widgets} = panel.content;
      const from = first(active), to = which === "all" ? widgets.length : end(active);
      // Imports have no slide of their own: those above run with each.
      const cells = widgets.filter((cell, i) => cell.model.type === "code" && i < to
        && (which !== "slide" || i >= from || kind(cell) === "skip"));
      const versions = Object.values(shared["@jupyterlab/notebook"] ?? {});
      const {NotebookActions} = (await versions[0].get())();
      await panel.sessionContext.ready;
      const seen = scroller().scrollTop;
      await NotebookActions.runCells(panel.content, cells, panel.sessionContext);
      if (presenting() === panel && panel.content.activeCellIndex === active) { // nobody has gone on meanwhile
        panel.content.deselectAll();
        focus();
        scroller().scrollTop = seen;
      }
    }

    function beside(name) {
      const path = presenting().context.path;
      return path.slice(0, path.lastIndexOf("/") + 1) + name;
    }

    function notes(name = lecture().notes) {
      if (name) {
        const path = beside(name).split("/").map(encodeURIComponent).join("/");
        window.open(`${app.serviceManager.serverSettings.baseUrl}files/${path}`, "spe-lab-notes");
      }
    }

    async function chapter(name) {
      if (name) {
        await commands.execute("docmanager:open", {path: beside(name), factory: "Notebook"});
      }
    }

    const add = (id, label, execute) => commands.addCommand(id, {label, execute, isEnabled: () => !!presenting()});
    add("lecture:next", "Lecture: Next Step", () => step(1));
    add("lecture:back", "Lecture: Step Before", () => step(-1));
    add("lecture:end", "Lecture: First or Last Slide", ({last}) => go(beginnings().at(last ? -1 : 0)));
    add("lecture:run", "Lecture: Run Cells of Slides", ({cells}) => run(cells ?? "slide"));
    add("lecture:notes", "Lecture: Notes for the Lecturer", () => notes());
    add("lecture:chapter", "Lecture: Next or Previous Chapter", ({key}) => chapter(lecture()[key ?? "next"]));

    // Whether a key belongs to what has the focus: an editor, a text field, a slider, a button.
    function taken(target, key) {
      if (target.closest(".jp-Dialog, .lm-Menu, .cm-editor, textarea")) {
        return !/^F\d+$/.test(key);
      }
      if (["PageDown", "PageUp"].includes(key) || /^F\d+$/.test(key)) {
        return false; // a remote control has no other keys
      }
      if (target.closest("input, select, [contenteditable='true']")) {
        return true;
      }
      if (target.closest("[role='slider']")) {
        return key !== " ";
      }
      return [" ", "Enter"].includes(key) && target.closest("button, summary, a") !== null;
    }

    // Before JupyterLab sees it, whose own keys depend on modes and on which part has the focus.
    window.addEventListener("keydown", event => {
      const {key, target, altKey, ctrlKey, metaKey, shiftKey} = event;
      const name = (ctrlKey || metaKey ? "Ctrl+" : "") + (shiftKey ? "Shift+" : "") + key;
      const [command, args] = KEYS[name] ?? [];
      if (!command || altKey || !presenting() || !(target instanceof Element) || taken(target, key)) {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      void commands.execute(command, args);
    }, true);

    // A button that was clicked would take the next press of the space bar.
    window.addEventListener("click", event => {
      if (event.detail > 0 && notebook()?.node.contains(event.target) && event.target.closest("button, summary")) {
        focus();
      }
    });

    // The notes open beside the slides, not in their place.
    window.addEventListener("click", event => {
      const link = event.target instanceof Element ? event.target.closest("a[href*='_notes.html']") : null;
      if (link && presenting()) {
        event.preventDefault();
        event.stopImmediatePropagation();
        notes();
      }
    }, true);
  }

  const plugin = {id: `${NAME}:plugin`, description: "Keys for a lecture.", autoStart: true, activate};
  (window._JUPYTERLAB ??= {})[NAME] = {
    init: scope => { shared = scope; },
    get: async () => () => ({__esModule: true, default: plugin}),
  };
})();
