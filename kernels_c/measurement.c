/* measurement.c: the clock, the gate and the schedule. Every time in the workbook is taken here, inside C.
 *
 * A call through ctypes costs about a microsecond and a garbage collection far more, so Python never stands between
 * two readings of the clock: it passes a schedule of slots and gets back one raw record for each.
 */
#include "gate.h"

#include <stddef.h>

typedef uint64_t (*spe_kernel)(void *state, uint64_t work);

/* One point of a sweep: a kernel bound to its state. */
struct spe_point {
    spe_kernel kernel;
    void *state;
    uint64_t warm;          /* units that bring this point's data back into the caches */
};

/* One slot of a schedule. Input: point, warm, work. Output: the rest. */
struct spe_sample {
    uint32_t point;         /* index into the points */
    uint32_t warm;          /* 1: run the point's warm-up first, untimed */
    uint64_t work;          /* units */
    int64_t began_ns;       /* monotonic */
    int64_t elapsed_ns;
    uint64_t checksum;
    uint32_t preemptions;   /* involuntary context switches during the sample */
    uint32_t faults;        /* page faults during the sample */
    int32_t cpu;            /* CPU after the sample, -1 where the OS does not tell */
    int32_t migrated;       /* 1 if it changed */
};

/* Nanoseconds since an arbitrary moment. */
int64_t spe_now(void) { return spe_clock(); }

static int32_t current_cpu(void)
{
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/* Runs `work` units in portions, so that a cancelled warm-up ends within milliseconds. */
static int warm_up(const struct spe_point *point, spe_cancel cancel)
{
    const uint64_t portion = 1u << 16;
    for (uint64_t left = point->warm; left > 0; left -= left < portion ? left : portion) {
        if (*cancel)
            return SPE_CANCELLED;
        point->kernel(point->state, left < portion ? left : portion);
    }
    return SPE_OK;
}

/* Runs slots[0..n) in their order. Returns how many were run: fewer than n once `deadline_ns` has passed (the caller
 * looks round and continues) or when cancelled. At least one slot is run unless cancelled before.
 * The gate's own system calls stay outside the timed region. */
int64_t spe_run(const struct spe_point *points, struct spe_sample *slots, uint64_t n, int64_t deadline_ns, spe_cancel cancel)
{
    for (uint64_t i = 0; i < n; i++) {
        struct spe_sample *slot = &slots[i];
        const struct spe_point *point = &points[slot->point];
        struct rusage before, after;

        if (*cancel || (i > 0 && spe_clock() > deadline_ns))
            return (int64_t)i;
        if (slot->warm && warm_up(point, cancel) != SPE_OK)
            return (int64_t)i;
        int32_t cpu = current_cpu();
        getrusage(SPE_RUSAGE, &before);
        slot->began_ns = spe_clock();
        slot->checksum = point->kernel(point->state, slot->work);
        slot->elapsed_ns = spe_clock() - slot->began_ns;
        getrusage(SPE_RUSAGE, &after);
        slot->cpu = current_cpu();
        slot->preemptions = (uint32_t)(after.ru_nivcsw - before.ru_nivcsw);
        slot->faults = (uint32_t)(after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt);
        slot->migrated = slot->cpu != cpu;
    }
    return (int64_t)n;
}

/* The empty kernel: what a sample costs when there is nothing to do (two clock readings and an indirect call). */
uint64_t null_kernel(void *state, uint64_t work)
{
    (void)state;
    return work;
}

/* The frequency probe: `work` dependent additions, one core cycle each, so work / elapsed is the core clock.
 * Register plus register, since some cores add a constant at no cost while renaming. The empty asm keeps each addition
 * in its place; 32 to a turn hide the loop's own instructions, which run beside the chain. */
uint64_t probe_kernel(void *state, uint64_t work)
{
    uint64_t sum = 0, step = 1;
    (void)state;
    SPE_OPAQUE(step);
#define ADD \
    sum += step; \
    SPE_OPAQUE(sum);
#define ADD8 ADD ADD ADD ADD ADD ADD ADD ADD
    uint64_t turns = work / 32;
    for (uint64_t i = 0; i < turns; i++) {
        ADD8 ADD8 ADD8 ADD8
    }
    for (uint64_t i = turns * 32; i < work; i++) {
        ADD
    }
#undef ADD8
#undef ADD
    return sum;
}
