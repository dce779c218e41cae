"""The kernels of scaling.c that synchronise beyond a fork and a join, under ThreadSanitizer."""

import pytest

from spe_lab.core.c import native

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

SCHEDULES = """
#include "team.h"
struct task_graph { uint32_t tasks; const uint64_t *wait_ns; const uint32_t *before, *first, *next; };
int32_t list_schedule(const struct task_graph *graph, int32_t workers, const int32_t *cpus, uint64_t trials, int64_t *elapsed_ns,
                      int64_t *began_ns, int64_t *ended_ns, int32_t *worker, spe_cancel cancel);
int main(void)
{
    /* Two levels of three, each of the second after all of the first, and one at the end. */
    uint64_t wait[7] = { 20000, 30000, 10000, 10000, 20000, 30000, 1000 };
    uint32_t before[7] = { 0, 0, 0, 3, 3, 3, 3 }, first[8] = { 0, 3, 6, 9, 10, 11, 12, 12 }, next[12] = { 3, 4, 5, 3, 4, 5, 3, 4, 5, 6, 6, 6 };
    struct task_graph graph = { 7, wait, before, first, next };
    int32_t cpus[8] = { -1, -1, -1, -1, -1, -1, -1, -1 }, cancel = 0, status = 0, worker[70];
    int64_t elapsed[10], began[70], ended[70];
    for (int32_t workers = 1; workers <= 8; workers++)
        status |= list_schedule(&graph, workers, cpus, 10, elapsed, began, ended, worker, &cancel);
    return -status;
}
"""

PRODUCTS = """
#include "team.h"
int32_t dot_product(int32_t kind, int32_t threads, const int32_t *cpus, int32_t blocking, const float *x, const float *y, uint64_t n, uint64_t laps,
                    uint64_t trials, int64_t *elapsed_ns, float *sums, struct team_record *records, spe_cancel cancel);
int main(void)
{
    int32_t cpus[4] = { -1, -1, -1, -1 }, cancel = 0, status = 0;
    float x[200] = { 0 }, sums[3];
    int64_t elapsed[3];
    struct team_record records[12];
    for (int32_t kind = 0; kind < 4; kind++)
        for (int32_t threads = 1; threads <= 4; threads++)
            status |= dot_product(kind, threads, cpus, 1, x, x, 200, 5, 3, elapsed, sums, records, &cancel);
    return -status;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("main", [SCHEDULES, PRODUCTS], ids=["list_schedule", "dot_product"])
def test_the_thread_sanitizer_finds_no_race(thread_sanitizer, main):
    assert thread_sanitizer("scaling", main) == ""
