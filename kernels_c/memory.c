/* memory.c: the memory hierarchy seen from two loops, one that must wait for each load and one that need not.
 *
 * The working set lies in memory that Python allocated (pages of a known size) and wrote once: pages never written all
 * map to the same page of zeros, and a sweep over them would measure the first-level cache.
 */
#include "spe.h"

#include <stddef.h>

/* ---- A random cycle over cache lines: dependent loads, no order a prefetcher could learn ---------------------------- */

struct cycle {
    void **cursor;          /* where the walk stands; each line's first word holds the address of the next line */
};

/* Links `n` lines of `line_bytes` at `lines` into one random cycle and puts the cursor on it.
 * `order` is scratch for n numbers. Shuffling a list of small numbers and then writing each line once is faster than
 * Sattolo's algorithm in place (its writes wait for their reads), and gives the same distribution: a uniform single cycle. */
int64_t cycle_link(struct cycle *state, char *lines, uint64_t n, uint64_t line_bytes, uint32_t *order, uint64_t seed, spe_cancel cancel)
{
    if (n == 0 || n > UINT32_MAX || line_bytes < sizeof(void *) || line_bytes % sizeof(void *) != 0)
        return SPE_BAD_ARGUMENT;
    for (uint64_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (uint64_t i = n - 1; i > 0; i--) {
        uint64_t j = spe_random_below(&seed, i + 1);
        uint32_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
        if ((i & 0xffff) == 0 && *cancel)
            return SPE_CANCELLED;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t next = i + 1 < n ? i + 1 : 0;
        *(void **)(lines + order[i] * line_bytes) = lines + order[next] * line_bytes;
        if ((i & 0xffff) == 0 && *cancel)
            return SPE_CANCELLED;
    }
    state->cursor = (void **)lines;
    return SPE_OK;
}

/* Isolates: latency. The address of each load is the result of the load before, so no two overlap: time per step is the
 * load-to-use latency of the level that holds the line. One step is one unit of work; one load, nothing else to do.
 * Honest because the compiler cannot know the pointers, and the last one is returned. */
uint64_t cycle_walk(struct cycle *state, uint64_t work)
{
    void **p = state->cursor;
    for (uint64_t i = 0; i < work; i++)
        p = *p;
    state->cursor = p;
    return (uint64_t)(uintptr_t)p;
}

/* ---- The strided sweep of the lecture notes -------------------------------------------------------------------------- */

struct sweep {
    const int32_t *input;   /* n elements */
    uint64_t n;
    uint64_t stride;        /* elements, 1 <= stride <= n */
    uint64_t shift;         /* elements by which each lap starts later (mod stride): a lap that starts where the last one
                               did would find, at a large stride, its few lines still cached */
    uint64_t start;         /* first element of this lap, < stride */
    uint64_t position;      /* next element */
    uint64_t mask;          /* 0; not a constant, so that the compiler must take it as it comes */
};

static void next_lap(struct sweep *s)
{
    s->start = (s->start + s->shift) % s->stride;
    s->position = s->start;
}

/* Isolates: throughput of a sweep. The loads do not depend on each other: the core overlaps them and the prefetchers
 * run ahead. One access is one unit of work. This is the notes' listing, cut into laps.
 * Honest because the sum is returned; a stride known only at run time keeps -O2 from vectorising. */
uint64_t sum_strided(struct sweep *state, uint64_t work)
{
    const int32_t *input = state->input;
    const uint64_t stride = state->stride;
    uint64_t sum = 0;

    while (work > 0) {
        uint64_t in_lap = (state->n - state->position + stride - 1) / stride;
        uint64_t count = work < in_lap ? work : in_lap;
        uint64_t end = state->position + count * stride;
        for (uint64_t i = state->position; i < end; i += stride)
            sum += (uint64_t)(int64_t)input[i];
        work -= count;
        state->position = end;
        if (end >= state->n)
            next_lap(state);
    }
    return sum;
}

/* Isolates: the same sweep without overlap. What was loaded, masked to zero, is part of the next address, so each load waits
 * for the one before; the order of addresses, and so what a prefetcher sees, is that of sum_strided. Same unit of work.
 * The mask costs one cycle a step beside the load and the addition. */
uint64_t sum_strided_dependent(struct sweep *state, uint64_t work)
{
    const int32_t *input = state->input;
    const uint64_t stride = state->stride, mask = state->mask;
    uint64_t sum = 0;

    while (work > 0) {
        uint64_t in_lap = (state->n - state->position + stride - 1) / stride;
        uint64_t count = work < in_lap ? work : in_lap;
        uint64_t i = state->position;
        for (uint64_t k = 0; k < count; k++) {
            uint64_t loaded = (uint64_t)(int64_t)input[i];
            sum += loaded;
            i += stride + (loaded & mask);
        }
        work -= count;
        state->position = i;
        if (i >= state->n)
            next_lap(state);
    }
    return sum;
}
