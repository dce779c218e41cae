"""The price of address translation: the same loop on base pages and on huge pages."""

import numpy as np

from spe_lab.core import units
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.waiting import waits
from spe_lab.core.recording import Run
from spe_lab.core.text import Text


@waits
def translation(base: Run, huge: Run) -> Text:
    """Return in a sentence what a dependent access costs more on base pages, at sizes beyond the reach of the TLB.

    Both are runs of lab memory.working_set. Sizes without a clean sample in both runs do not count.
    """
    if (base.point["pages"], huge.point["pages"]) != ("4K", "huge"):
        got = f"{base.point['pages']} and {huge.point['pages']}"
        raise SpeLabError(f"the runs must be one on base pages and one on huge pages, got {got}; set pages and measure")
    reach = base.point["C_TLB"]
    sizes = [size for size in np.intersect1d(base.x.values, huge.x.values) if size > reach]
    both = [[run.measured[0].values[np.flatnonzero(run.x.values == size)[0]] for run in (base, huge)] for size in sizes]
    beyond = f"sizes beyond {units.render(reach, 'B')}, the reach of the TLB"
    added = np.array([a - b for a, b in both if np.isfinite(a) and np.isfinite(b)])
    if not added.size:
        return Text(f"Neither run has {beyond}: no price of translation can be read here.")
    median, low, high = (
        units.render(abs(float(value)), "ns") for value in (np.median(added), added.min(), added.max())
    )
    if added.min() <= 0:
        return Text(
            f"At {added.size} {beyond}, the difference between base and huge pages has both signs: other programs in"
            " the shared cache hide the price of translation. Measure both again."
        )
    return Text(
        f"At {added.size} {beyond}, an access on base pages takes {median} longer than on huge pages (median; {low} to"
        f" {high}). This is the price of translation on this machine."
    )
