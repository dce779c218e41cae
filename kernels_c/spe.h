/* spe.h: what every kernel shares.
 *
 * A work kernel is timed by the common harness (measurement.c):
 *
 *     uint64_t name(struct name_state *state, uint64_t work)
 *
 * does `work` units, carries its cursor in *state from one call to the next (a kernel that starts over at each sample
 * visits the same few lines again and measures the cache), and returns a checksum, so that the compiler keeps the work.
 * A trial kernel runs whole trials and returns raw numbers in arrays that the caller allocated. Clocks and threads for it
 * are in gate.h and team.h.
 *
 * Plain C11: no globals, no printf, no exit, no allocation. A failure is one of the negative codes below.
 * Python reads prototypes, structures and enumerations from these files; it does not read macros.
 */
#ifndef SPE_H
#define SPE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE     /* before any system header: gate.h and team.h need what Linux adds to POSIX */
#endif
#include <stdint.h>

enum spe_status {
    SPE_OK = 0,
    SPE_CANCELLED = -1,
    SPE_BAD_ARGUMENT = -2,
    SPE_NO_THREADS = -3     /* the system refused to create another thread */
};

/* Nonzero once the reader pressed "cancel": every loop that may run for more than a few milliseconds checks it.
 * Python writes the flag from another thread, hence volatile; no order with other memory is needed. */
typedef const volatile int32_t *spe_cancel;

/* Forces `value` into a register here: the compiler can neither predict nor skip its computation. Costs no instruction. */
#define SPE_OPAQUE(value) __asm__ volatile("" : "+r"(value))

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): one 64-bit state, passes BigCrush, seeds from any number. */
static inline uint64_t spe_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in (0, 1]: never zero, so that its logarithm is a number. */
static inline double spe_random_share(uint64_t *state) { return (double)((spe_random(state) >> 11) + 1) * 0x1p-53; }

/* Uniform in [0, bound), bound < 2^32, by Lemire's multiplication (ACM TOMACS 2019) without the rejection step:
 * the bias is below bound / 2^32, which no order of cache lines can show. */
static inline uint64_t spe_random_below(uint64_t *state, uint64_t bound) { return ((spe_random(state) >> 32) * bound) >> 32; }

#endif
