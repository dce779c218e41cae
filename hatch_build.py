"""Build hook: an installed wheel carries the kernels and the workbook; an editable install uses the checkout's own."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarryKernelsAndNotebooks(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "standard":
            build_data["force_include"].update({"kernels_c": "spe_lab/kernels_c", "notebooks": "spe_lab/notebooks"})
