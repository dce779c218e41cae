/* machine.c: one kernel for each property of a machine that models ask for. The random cycle of memory.c measures the
 * hierarchy; these measure the rest.
 */
#include "gate.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* ---- Line size ------------------------------------------------------------------------------------------------------- */

struct crossing {
    char *cursor;           /* a node of a random cycle; its first word holds the address of the next node */
    uint64_t offset;        /* bytes from the node to the second load */
};

/* Isolates: whether two addresses share a line, in a way that no prefetcher hides. Each step loads a node's link and then,
 * at an address that depends on what was loaded, a word `offset` bytes further: that costs next to nothing while it lies
 * in the line just fetched, and a second miss once it does not. The second word is zero and part of the next address. */
uint64_t cross_line(struct crossing *state, uint64_t work)
{
    char *p = state->cursor;
    for (uint64_t i = 0; i < work; i++) {
        char *next = *(char **)p;
        uint64_t zero = 0;
        SPE_OPAQUE(zero);
        uint64_t second = *(uint64_t *)(p + state->offset + ((uint64_t)(uintptr_t)next & zero));
        p = next + (second & zero);
    }
    state->cursor = p;
    return (uint64_t)(uintptr_t)p;
}

/* ---- Memory-level parallelism ---------------------------------------------------------------------------------------- */

enum { SPE_CHAINS = 32 };

struct chains {
    void **cursor[32];
    uint64_t n;             /* chains walked, <= SPE_CHAINS */
};

/* Isolates: how many misses can be under way at once. `n` separate random cycles, a step in each in turn: a step waits for the
 * step before in its own cycle alone. One step in one cycle is one unit of work. The cursors stay in memory, which
 * costs some nanoseconds a step beside a miss of a hundred. */
uint64_t walk_chains(struct chains *state, uint64_t work)
{
    for (uint64_t i = 0; i < work; i += state->n)
        for (uint64_t k = 0; k < state->n; k++)
            state->cursor[k] = *state->cursor[k];
    return (uint64_t)(uintptr_t)state->cursor[0];
}

/* ---- Bandwidth ------------------------------------------------------------------------------------------------------- */

struct stream {
    const uint64_t *words;
    uint64_t n;             /* words, a multiple of 8 */
    uint64_t position;      /* next word, a multiple of 8 */
};

/* Isolates: the rate at which a level delivers lines in order. Eight sums, so that no addition waits for the one before.
 * One unit of work is one line of eight words. */
uint64_t stream_sum(struct stream *state, uint64_t work)
{
    const uint64_t *words = state->words;
    uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    uint64_t i = state->position;

    while (work > 0) {
        uint64_t lines = (state->n - i) / 8;
        uint64_t end = i + 8 * (work < lines ? work : lines);
        work -= (end - i) / 8;
        for (; i < end; i += 8) {
            a += words[i];
            b += words[i + 1];
            c += words[i + 2];
            d += words[i + 3];
            e += words[i + 4];
            f += words[i + 5];
            g += words[i + 6];
            h += words[i + 7];
        }
        if (i >= state->n)
            i = 0;
    }
    state->position = i;
    return a + b + c + d + e + f + g + h;
}

/* ---- Branches -------------------------------------------------------------------------------------------------------- */

struct selection {
    const uint8_t *values;  /* uniformly random, many more than a predictor can learn by heart */
    uint64_t n;
    uint64_t position;
    uint64_t threshold;     /* 0: never taken, 256: always taken, 128: every other one, unpredictably */
};

/* Isolates: a branch that depends on data. The empty asm in the branch keeps the compiler from turning it into a
 * conditional move. One element is one unit of work. */
uint64_t select_branching(struct selection *state, uint64_t work)
{
    const uint8_t *values = state->values;
    uint64_t i = state->position, selected = 0;
    for (; work > 0; work--) {
        if (values[i] < state->threshold) {
            selected++;
            SPE_OPAQUE(selected);
        }
        if (++i == state->n)
            i = 0;
    }
    state->position = i;
    return selected;
}

/* ---- Calls ----------------------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t callee(uint64_t x)
{
    SPE_OPAQUE(x);
    return x;
}

uint64_t call_function(void *state, uint64_t work)
{
    uint64_t x = 0;
    (void)state;
    for (uint64_t i = 0; i < work; i++)
        x = callee(x);
    return x;
}

/* A clock reading without entering the kernel, where the system maps one into the process. */
uint64_t call_clock(void *state, uint64_t work)
{
    uint64_t x = 0;
    (void)state;
    for (uint64_t i = 0; i < work; i++)
        x += (uint64_t)spe_clock();
    return x;
}

/* The cheapest system call that the C library does not answer from a cache. */
uint64_t call_system(void *state, uint64_t work)
{
    uint64_t x = 0;
    (void)state;
    for (uint64_t i = 0; i < work; i++)
#if defined(__linux__)
        x += (uint64_t)syscall(SYS_getppid);
#else
        x += (uint64_t)getppid();
#endif
    return x;
}

/* An atomic addition to a line that this core owns. */
uint64_t add_atomically(uint64_t *state, uint64_t work)
{
    for (uint64_t i = 0; i < work; i++)
        __atomic_fetch_add(state, 1, __ATOMIC_SEQ_CST);
    return *state;
}

/* ---- Trials: what the common harness cannot time ----------------------------------------------------------------------- */

/* Fills out[0..n) with the differences of successive clock readings [ns]: the least that is not 0 is the clock's grain. */
int64_t clock_steps(int64_t *out, uint64_t n)
{
    int64_t before = spe_clock();
    for (uint64_t i = 0; i < n; i++) {
        int64_t after = spe_clock();
        out[i] = after - before;
        before = after;
    }
    return SPE_OK;
}

/* Touches each of `pages` pages of `page_bytes` for the first time since they were given back to the system; repeats that
 * n times. out[i]: nanoseconds for all pages; faults[i]: page faults counted by the system meanwhile (preempted trials: -1). */
int64_t fault_pages(char *memory, uint64_t pages, uint64_t page_bytes, int64_t *out, int64_t *faults, uint64_t n, spe_cancel cancel)
{
    for (uint64_t i = 0; i < n; i++) {
        struct rusage before, after;
        if (*cancel)
            return SPE_CANCELLED;
        if (madvise(memory, pages * page_bytes, MADV_DONTNEED) != 0)
            return SPE_BAD_ARGUMENT;
        getrusage(SPE_RUSAGE, &before);
        int64_t began = spe_clock();
        for (uint64_t k = 0; k < pages; k++)
            *(volatile char *)(memory + k * page_bytes) = 1;
        out[i] = spe_clock() - began;
        getrusage(SPE_RUSAGE, &after);
        faults[i] = after.ru_nivcsw == before.ru_nivcsw ? after.ru_minflt - before.ru_minflt : -1;
    }
    return SPE_OK;
}

/* ---- Two threads ------------------------------------------------------------------------------------------------------- */

struct table {              /* shared by the two sides of the ping-pong; the ball has a line (or two) to itself */
    char before[128];
    _Atomic uint32_t ball;
    char after[128];
    uint32_t hits;          /* per trial and side */
    int32_t cpu;            /* of the second side */
    uint64_t trials;
    spe_cancel cancel;
    int64_t *preemptions;
};

/* Waits until the ball shows `turn`; gives up when cancelled. */
static int await_turn(struct table *table, uint32_t turn)
{
    uint32_t spins = 0;
    while (atomic_load_explicit(&table->ball, memory_order_acquire) != turn)
        if ((++spins & 0xfff) == 0 && *table->cancel)
            return 0;
    return 1;
}

static void *return_balls(void *argument)
{
    struct table *table = argument;
    spe_pin(table->cpu);
    for (uint64_t t = 0; t < table->trials; t++) {
        int64_t before = spe_preemptions();
        for (uint32_t i = 0; i < table->hits; i++) {
            uint32_t turn = 2 * ((uint32_t)t * table->hits + i) + 1;
            if (!await_turn(table, turn))
                return NULL;
            atomic_store_explicit(&table->ball, turn + 1, memory_order_release);
        }
        __atomic_fetch_add(&table->preemptions[t], spe_preemptions() - before, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Isolates: how long a written line takes from one core to another. Two threads, pinned to two CPUs where the system lets
 * them be, pass a number to and fro. out[i]: nanoseconds for `hits` round trips, two hand-offs each; preemptions[i]: of
 * both sides during the trial. */
int64_t hand_off(int32_t cpu_a, int32_t cpu_b, uint64_t hits, int64_t *out, int64_t *preemptions, uint64_t n, spe_cancel cancel)
{
    struct table table = { .ball = 0, .hits = (uint32_t)hits, .cpu = cpu_b, .trials = n, .cancel = cancel, .preemptions = preemptions };
    pthread_t other;
    int64_t status = SPE_OK;
#if defined(__linux__)
    cpu_set_t set;
    pthread_getaffinity_np(pthread_self(), sizeof set, &set);
#endif
    for (uint64_t t = 0; t < n; t++)
        preemptions[t] = 0;
    if (pthread_create(&other, NULL, return_balls, &table) != 0)
        return SPE_BAD_ARGUMENT;
    spe_pin(cpu_a);
    for (uint64_t t = 0; t < n && status == SPE_OK; t++) {
        int64_t before = spe_preemptions(), began = spe_clock();
        for (uint32_t i = 0; i < table.hits && status == SPE_OK; i++) {
            uint32_t turn = 2 * ((uint32_t)t * table.hits + i);
            atomic_store_explicit(&table.ball, turn + 1, memory_order_release);
            if (!await_turn(&table, turn + 2))
                status = SPE_CANCELLED;
        }
        out[t] = spe_clock() - began;
        __atomic_fetch_add(&preemptions[t], spe_preemptions() - before, __ATOMIC_RELAXED);
    }
    pthread_join(other, NULL);
#if defined(__linux__)
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
#endif
    return status;
}
