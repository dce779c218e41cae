// Gives the sliders of a page the names and values that a screen reader says.
const PAGE = '.spe-page', HANDLE = '.noUi-handle', SLIDER = '.widget-inline-hbox, .widget-inline-vbox';
const CHANGES = {
  subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-valuetext'],
};
// In the layout, so that it has a size, and out of sight.
const HIDDEN = 'position: absolute; width: 1px; height: 1px; margin: 0; visibility: hidden';

const set = (element, attribute, text) => {
  if (text && element.getAttribute(attribute) !== text) element.setAttribute(attribute, text);
};

const label = page => {
  for (const handle of page.querySelectorAll(HANDLE)) {
    const slider = handle.closest(SLIDER);
    const [name, value] = ['.widget-label', '.widget-readout'].map(part => slider?.querySelector(part));
    const title = [name?.textContent, name?.title].filter(Boolean).join(': ');
    set(handle, 'aria-label', title);
    set(handle, 'aria-valuetext', value?.textContent);
    if (value?.getAttribute('contenteditable') === 'true') {
      set(value, 'role', 'textbox');
      set(value, 'aria-label', title);
    }
  }
};

export default {
  render({ el }) {
    let changes;
    el.style.cssText = HIDDEN;
    // Widgets are rendered before they are put into the page: then the element gets its size.
    const arrival = new ResizeObserver(() => {
      const page = el.closest(PAGE);
      if (changes || !page) return;
      changes = new MutationObserver(() => label(page));
      changes.observe(page, CHANGES);
      label(page);
    });
    arrival.observe(el);
    return () => {
      arrival.disconnect();
      changes?.disconnect();
    };
  },
};
