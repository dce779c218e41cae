"""Hardware event counters, by calling perf_event_open directly, so that each refusal keeps its reason.

A guest without a PMU gets ENOENT, a kernel that forbids counting EACCES, a sandbox EPERM: three different cures.
"""

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Callable
from typing import Any

from spe_lab.core.errors import UnavailableError

HARDWARE, SOFTWARE = 0, 1  # types of events
INSTRUCTIONS, BRANCH_MISSES = 1, 5  # hardware events
TASK_CLOCK, DUMMY = 1, 9  # software events: time in ns, and an event that never happens
ENABLE, DISABLE = 0x2400, 0x2401  # ioctl requests of linux/perf_event.h
DISABLED, EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1 << 0, 1 << 5, 1 << 6
SIZE = 112  # bytes of struct perf_event_attr, version 5 (Linux 4.1); newer kernels accept it
SYSCALLS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "loongarch64": 241, "ppc64le": 319}  # 64 bits, little-endian


def hardware_counter() -> str:
    """Return "available", or in a few words why a hardware counter cannot be opened."""
    answer = perf_event_open(HARDWARE, INSTRUCTIONS)
    if answer >= 0:
        os.close(answer)
        return "available"
    return refusal(answer)


def count(kind: int, event: int, work: Callable[[], Any]) -> int:
    """Count `event` in user space while `work` runs. Raise UnavailableError with the kernel's reason."""
    import fcntl

    opened = perf_event_open(kind, event)
    if opened < 0:
        raise UnavailableError(
            f"hardware events cannot be counted here ({refusal(opened)}); use a machine that shows its counters"
        )
    try:
        fcntl.ioctl(opened, ENABLE)
        work()
        fcntl.ioctl(opened, DISABLE)
        return int.from_bytes(os.read(opened, 8), sys.byteorder)
    finally:
        os.close(opened)


def refusal(answer: int) -> str:
    """Return the meaning of a negative result of perf_event_open, in a few words."""
    reasons = {
        errno.ENOENT: "no PMU: the machine shows no hardware counters",
        errno.ENODEV: "no PMU: the machine shows no hardware counters",
        errno.EOPNOTSUPP: "no PMU: the machine shows no hardware counters",
        errno.EACCES: "not allowed: kernel.perf_event_paranoid forbids it",
        errno.EPERM: "not allowed: a sandbox forbids it",
        errno.ENOSYS: "no perf events on this system",
    }
    return reasons.get(-answer) or f"unavailable: {os.strerror(-answer)}"


def perf_event_open(kind: int, event: int) -> int:
    """Return a descriptor of a stopped counter for this process's user space, or minus the errno."""
    number = SYSCALLS.get(platform.machine())
    if sys.platform != "linux" or number is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return -errno.ENOSYS
    # struct perf_event_attr: type (4 bytes), size (4), config (8); the flags are its sixth word.
    attributes = (ctypes.c_uint64 * (SIZE // 8))(kind | SIZE << 32, event)
    attributes[5] = DISABLED | EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR
    this_process, any_core, no_group, no_flags = (ctypes.c_long(value) for value in (0, -1, -1, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(ctypes.c_long(number), ctypes.byref(attributes), this_process, any_core, no_group, no_flags)
    return answer if answer >= 0 else -ctypes.get_errno()
