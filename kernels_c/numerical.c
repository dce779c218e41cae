/* numerical.c: lookups in a sorted array, the microbenchmark behind the numerical models.
 *
 * Its curve has structure to miss: ⌈log₂ n⌉ steps, each with a comparison that nobody can predict and a key from ever
 * further away.
 */
#include "spe.h"

struct search {
    const uint32_t *keys;  /* n records of `width` numbers; the first number of record i is its key, 2 · i + 1 */
    uint64_t n;            /* 1 or more, below 2^31 */
    uint64_t width;
    uint64_t random;       /* where the random targets go on: a new sample must not meet the paths of the last one */
};

/* A key that is there, known without reading it. What the last lookup found goes into the random state: no lookup can start
 * before the one before it has ended, so that the time is a latency. */
static inline uint32_t next_target(struct search *state, uint32_t found)
{
    state->random += found;
    return (uint32_t)(2 * spe_random_below(&state->random, state->n) + 1);
}

/* Isolates: binary search with a branch on every key. One lookup is one unit of work, and takes ⌈log₂ n⌉ steps whatever it
 * looks for: `length - half` records are left on either way. Returns the sum of the keys found. The empty asm on the
 * branch's way keeps the compiler from turning it into a conditional move. */
uint64_t search_branching(struct search *state, uint64_t work)
{
    const uint64_t width = state->width;
    uint64_t sum = 0;
    uint32_t found = 0;
    for (; work > 0; work--) {
        const uint32_t target = next_target(state, found), *low = state->keys;
        for (uint64_t length = state->n; length > 1;) {
            uint64_t half = length / 2;
            const uint32_t *middle = low + half * width;
            if (*middle <= target) {
                low = middle;
                SPE_OPAQUE(low);
            }
            length -= half;
        }
        found = *low;
        sum += found;
    }
    return sum;
}

/* Isolates: the same steps without a branch. The comparison becomes a mask: no step is mispredicted, and none begins before
 * the key of the step before it has arrived. */
uint64_t search_predicated(struct search *state, uint64_t work)
{
    const uint64_t width = state->width;
    uint64_t sum = 0;
    uint32_t found = 0;
    for (; work > 0; work--) {
        const uint32_t target = next_target(state, found), *low = state->keys;
        for (uint64_t length = state->n; length > 1;) {
            uint64_t half = length / 2, hop = half * width, right = low[hop] <= target;
            SPE_OPAQUE(right);
            low += hop & -right;
            length -= half;
        }
        found = *low;
        sum += found;
    }
    return sum;
}
