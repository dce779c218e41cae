/* branches.c: a branch that depends on data, its predicated twin, and simulated predictors.
 *
 * The loops are the notes': an element counts if it is below a threshold. Whether the branch is taken is then a coin with
 * P(taken) = p, tossed anew for each element, and no predictor can know it.
 */
#include "spe.h"

/* ---- The machine ----------------------------------------------------------------------------------------------------- */

struct selection {
    const int32_t *keys;     /* n of them, uniform in [0, 2^30) unless a pattern is wanted */
    const int32_t *payload;  /* n · width of them, or the keys once more */
    uint64_t n;
    uint64_t width;          /* elements of the payload that belong to one key */
    uint64_t position;       /* next key: samples go on where the last one ended, lest the predictor learn a prefix */
    int64_t threshold;       /* keys below it are selected */
};

/* Isolates: a conditional branch on data. One key is one unit of work. The empty asm on the branch's way keeps the
 * compiler from turning it into a conditional move, and on both ways from vectorising the loop. */
uint64_t sum_branching(struct selection *state, uint64_t work)
{
    const int32_t *keys = state->keys;
    const int64_t threshold = state->threshold;
    uint64_t i = state->position, sum = 0;
    while (work > 0) {
        uint64_t end = state->n - i < work ? state->n : i + work;
        work -= end - i;
        for (; i < end; i++) {
            if (keys[i] < threshold) {
                sum += (uint64_t)keys[i];
                SPE_OPAQUE(sum);
            }
        }
        if (i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}

/* Isolates: the same sum without a branch. The comparison becomes a mask, and every key is added, most of them as zero. */
uint64_t sum_predicated(struct selection *state, uint64_t work)
{
    const int32_t *keys = state->keys;
    const int64_t threshold = state->threshold;
    uint64_t i = state->position, sum = 0;
    while (work > 0) {
        uint64_t end = state->n - i < work ? state->n : i + work;
        work -= end - i;
        for (; i < end; i++) {
            sum += (uint64_t)keys[i] & -(uint64_t)(keys[i] < threshold);
            SPE_OPAQUE(sum);
        }
        if (i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}

/* Isolates: a conditional read. The branch decides whether a record of the payload is touched. */
uint64_t read_branching(struct selection *state, uint64_t work)
{
    const int32_t *keys = state->keys, *payload = state->payload;
    const int64_t threshold = state->threshold;
    const uint64_t width = state->width;
    uint64_t i = state->position, sum = 0;
    while (work > 0) {
        uint64_t end = state->n - i < work ? state->n : i + work;
        work -= end - i;
        for (; i < end; i++) {
            if (keys[i] < threshold) {
                sum += (uint64_t)payload[i * width];
                SPE_OPAQUE(sum);
            }
        }
        if (i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}

/* Isolates: the conditional read without a branch. Every record is touched, selected or not. */
uint64_t read_predicated(struct selection *state, uint64_t work)
{
    const int32_t *keys = state->keys, *payload = state->payload;
    const int64_t threshold = state->threshold;
    const uint64_t width = state->width;
    uint64_t i = state->position, sum = 0;
    while (work > 0) {
        uint64_t end = state->n - i < work ? state->n : i + work;
        work -= end - i;
        for (; i < end; i++) {
            sum += (uint64_t)payload[i * width] & -(uint64_t)(keys[i] < threshold);
            SPE_OPAQUE(sum);
        }
        if (i == state->n)
            i = 0;
    }
    state->position = i;
    return sum;
}

/* ---- Simulated predictors -------------------------------------------------------------------------------------------- */

enum { SPE_COUNTER = 0, SPE_GSHARE = 1, SPE_LOCAL = 2, SPE_MOST_HISTORY = 16 };

struct predictor {
    int32_t kind;            /* SPE_COUNTER: one counter. SPE_GSHARE, SPE_LOCAL: a table of them, by the last outcomes */
    int32_t states;          /* 2 … 64 states of a saturating counter */
    int32_t threshold;       /* 1 … states − 1: "taken" is predicted from this state up */
    int32_t initial;         /* 0 … states − 1 */
    int32_t history;         /* bits of history of the tables, 1 … SPE_MOST_HISTORY */
    void *table;             /* 2^history counters of one byte, the caller's; NULL for SPE_COUNTER */
};

struct outcomes {
    int32_t periodic;        /* 1: taken as evenly as the share allows, always in the same places; 0: random */
    uint64_t share;          /* P(taken) · 2^32, 0 … 2^32 */
    uint64_t after_taken;    /* random: P(taken) · 2^32 if the outcome before was taken; share if there is no memory */
    uint64_t after_other;    /* random: the same if it was not */
    uint64_t seed;
};

static inline uint64_t next_outcome(const struct outcomes *law, uint64_t *random, uint64_t *phase, uint64_t before)
{
    if (law->periodic) {
        *phase += law->share;
        uint64_t taken = *phase >> 32;
        *phase &= 0xffffffffu;
        return taken;
    }
    return (spe_random(random) >> 32) < (before ? law->after_taken : law->after_other);
}

/* Simulates `runs` runs of `branches` branches each, every run from the initial state and with outcomes of its own, and
 * writes the mispredictions of each run. One branch costs some 2 ns with a counter.
 *
 * A single branch has only its own history. To tell global from local history, the tables see a second branch between any
 * two of the first, a fair coin: gshare's history holds both branches' outcomes in turn, a local one's those of its own.
 * Only mispredictions of the first branch count. */
int32_t simulate_predictor(const struct predictor *with, const struct outcomes *law, uint64_t branches, uint64_t runs, uint64_t *mispredictions,
                           spe_cancel cancel)
{
    if (with->states < 2 || with->states > 64 || with->threshold < 1 || with->threshold >= with->states || with->initial < 0 || with->initial >= with->states ||
        with->kind < SPE_COUNTER || with->kind > SPE_LOCAL || law->share > (uint64_t)1 << 32)
        return SPE_BAD_ARGUMENT;
    if (with->kind != SPE_COUNTER && (with->history < 1 || with->history > SPE_MOST_HISTORY || with->table == 0))
        return SPE_BAD_ARGUMENT;
    const int64_t top = with->states - 1, threshold = with->threshold;
    const uint64_t entries = with->kind == SPE_COUNTER ? 0 : (uint64_t)1 << with->history, mask = entries - 1;
    uint8_t *table = with->table;
    uint64_t random = law->seed, phase = 0;
    for (uint64_t run = 0; run < runs; run++) {
        uint64_t missed = 0, history = 0;
        uint64_t before = (spe_random(&random) >> 32) < law->share;
        int64_t state = with->initial;
        phase = law->periodic ? spe_random(&random) >> 32 : 0;
        for (uint64_t i = 0; i < entries; i++)
            table[i] = (uint8_t)with->initial;
        for (uint64_t done = 0; done < branches;) {
            uint64_t end = branches - done > 1000000 ? done + 1000000 : branches;
            if (*cancel)
                return SPE_CANCELLED;
            if (with->kind == SPE_COUNTER) {
                for (; done < end; done++) {
                    int64_t taken = (int64_t)next_outcome(law, &random, &phase, before);
                    before = (uint64_t)taken;
                    missed += (uint64_t)((state >= threshold) ^ taken);
                    state += 2 * taken - 1;
                    state = state < 0 ? 0 : state > top ? top : state;
                }
            } else {
                for (; done < end; done++) {
                    int64_t taken = (int64_t)next_outcome(law, &random, &phase, before);
                    uint8_t *counter = &table[history & mask];
                    before = (uint64_t)taken;
                    missed += (uint64_t)((*counter >= threshold) ^ taken);
                    int64_t next = *counter + 2 * taken - 1;
                    *counter = (uint8_t)(next < 0 ? 0 : next > top ? top : next);
                    history = history << 1 | (uint64_t)taken;
                    if (with->kind == SPE_GSHARE)
                        history = history << 1 | (spe_random(&random) >> 63);
                }
            }
        }
        mispredictions[run] = missed;
    }
    return SPE_OK;
}
