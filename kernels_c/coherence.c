/* coherence.c: a simulated bus of MESI caches, and real threads on one cache line. */
#include "team.h"

/* ---- MESI, simulated -------------------------------------------------------------------------------------------------
 *
 * Caches of unlimited size that share a bus, with the four states of Papamarcos and Patel (ISCA 1984): a miss is answered
 * by another cache where one has the line, and a modified copy is written back when another core asks for it. */

enum { MESI_INVALID = 0, MESI_SHARED, MESI_EXCLUSIVE, MESI_MODIFIED, MESI_STATES };
enum { MESI_READ = 0, MESI_WRITE, MESI_DROP };  /* drop: the cache gives the line up to make room */
enum { MESI_MOST_CORES = 8, MESI_TRANSITIONS = 16 };

struct mesi {
    void *states;            /* lines × cores bytes, the caller's: the state of each core's copy of each line */
    int64_t lines;
    int32_t cores;           /* 1 … MESI_MOST_CORES */
    uint64_t accesses;
    uint64_t bus_reads;      /* BusRd: a read of a line that the core does not hold */
    uint64_t bus_owns;       /* BusRdX: a write to a line that the core does not hold */
    uint64_t bus_upgrades;   /* BusUpgr: a write to a line that others may hold too: no data, they only give theirs up */
    uint64_t write_backs;    /* modified copies written back to memory */
    uint64_t transfers;      /* lines that came from another cache rather than from memory */
    uint64_t transitions[MESI_TRANSITIONS];  /* changes of a copy, [before · MESI_STATES + after] */
};

static inline void mesi_move(struct mesi *bus, uint8_t *copy, uint8_t after)
{
    bus->transitions[*copy * MESI_STATES + after]++;
    *copy = after;
}

/* The other caches hear of a message: a modified copy is written back, and every copy moves to `after`. Tells whether there was one. */
static inline uint64_t mesi_snoop(struct mesi *bus, uint8_t *copies, int32_t core, uint8_t after)
{
    uint64_t held = 0;
    for (int32_t other = 0; other < bus->cores; other++) {
        if (other == core || copies[other] == MESI_INVALID)
            continue;
        held = 1;
        bus->write_backs += copies[other] == MESI_MODIFIED;
        if (copies[other] != after)
            mesi_move(bus, &copies[other], after);
    }
    return held;
}

static inline void mesi_read(struct mesi *bus, uint8_t *copies, int32_t core)
{
    if (copies[core] != MESI_INVALID)
        return;
    bus->bus_reads++;
    uint64_t held = mesi_snoop(bus, copies, core, MESI_SHARED);
    bus->transfers += held;
    mesi_move(bus, &copies[core], held ? MESI_SHARED : MESI_EXCLUSIVE);
}

static inline void mesi_write(struct mesi *bus, uint8_t *copies, int32_t core)
{
    uint8_t before = copies[core];
    if (before == MESI_MODIFIED)
        return;
    if (before == MESI_SHARED) {
        bus->bus_upgrades++;
        mesi_snoop(bus, copies, core, MESI_INVALID);
    } else if (before == MESI_INVALID) {
        bus->bus_owns++;
        bus->transfers += mesi_snoop(bus, copies, core, MESI_INVALID);
    }                        /* exclusive: nobody else has it, so nobody need be told */
    mesi_move(bus, &copies[core], MESI_MODIFIED);
}

static inline void mesi_drop(struct mesi *bus, uint8_t *copies, int32_t core)
{
    if (copies[core] == MESI_INVALID)
        return;
    bus->write_backs += copies[core] == MESI_MODIFIED;
    mesi_move(bus, &copies[core], MESI_INVALID);
}

/* Whether the caches may look like this: beside a modified or exclusive copy of a line there is no other. */
static int32_t mesi_legal(const struct mesi *bus)
{
    const uint8_t *states = bus->states;
    if (states == 0 || bus->lines < 1 || bus->cores < 1 || bus->cores > MESI_MOST_CORES)
        return 0;
    for (int64_t line = 0; line < bus->lines; line++) {
        int32_t held = 0, alone = 0;
        for (int32_t core = 0; core < bus->cores; core++) {
            uint8_t state = states[line * bus->cores + core];
            if (state >= MESI_STATES)
                return 0;
            held += state != MESI_INVALID;
            alone += state >= MESI_EXCLUSIVE;
        }
        if (alone > 0 && held > 1)
            return 0;
    }
    return 1;
}

/* Runs a trace of n accesses: by core[i], to line[i], of kind[i]. Adds to the counts. A trace that names what is not there is
 * refused with SPE_BAD_ARGUMENT at that access. */
int32_t mesi_trace(struct mesi *bus, const uint8_t *core, const uint32_t *line, const uint8_t *kind, uint64_t n, spe_cancel cancel)
{
    if (!mesi_legal(bus))
        return SPE_BAD_ARGUMENT;
    uint8_t *states = bus->states;
    for (uint64_t i = 0; i < n; i++) {
        if ((i & 0xfffff) == 0 && *cancel)
            return SPE_CANCELLED;
        if (core[i] >= bus->cores || line[i] >= bus->lines || kind[i] > MESI_DROP)
            return SPE_BAD_ARGUMENT;
        uint8_t *copies = &states[(int64_t)line[i] * bus->cores];
        bus->accesses++;
        if (kind[i] == MESI_READ)
            mesi_read(bus, copies, core[i]);
        else if (kind[i] == MESI_WRITE)
            mesi_write(bus, copies, core[i]);
        else
            mesi_drop(bus, copies, core[i]);
    }
    return SPE_OK;
}

struct mesi_law {
    uint64_t write;          /* P(an access writes) · 2^32, 0 … 2^32 */
    uint64_t change;         /* P(the next access is another core's) · 2^32; which one's is equally likely */
    uint32_t lines;          /* lines that the data lie on, each equally likely */
    int32_t padded;          /* 1: each core has that many lines of its own; 0: all share them */
    int32_t core;            /* whose access was the last: carried from call to call, as is the seed */
    uint64_t seed;
};

/* Runs n random accesses of that law. One takes 5 to 15 ns, most of it for branches that no predictor knows. */
int32_t mesi_random(struct mesi *bus, struct mesi_law *law, uint64_t n, spe_cancel cancel)
{
    int64_t needed = (int64_t)law->lines * (law->padded ? bus->cores : 1);
    if (!mesi_legal(bus) || law->lines < 1 || needed > bus->lines || law->core < 0 || law->core >= bus->cores)
        return SPE_BAD_ARGUMENT;
    uint8_t *states = bus->states;
    uint64_t random = law->seed;
    int32_t core = law->core, status = SPE_OK;
    for (uint64_t i = 0; i < n; i++) {
        if ((i & 0xfffff) == 0 && *cancel) {
            status = SPE_CANCELLED;
            break;
        }
        uint64_t change = spe_random(&random) >> 32;
        if (change < law->change && bus->cores > 1) {
            core += 1 + (int32_t)spe_random_below(&random, (uint64_t)bus->cores - 1);
            core -= core >= bus->cores ? bus->cores : 0;
        }
        int64_t line = law->lines > 1 ? (int64_t)spe_random_below(&random, law->lines) : 0;
        line += law->padded ? (int64_t)core * law->lines : 0;
        bus->accesses++;
        if (spe_random(&random) >> 32 < law->write)
            mesi_write(bus, &states[line * bus->cores], core);
        else
            mesi_read(bus, &states[line * bus->cores], core);
    }
    law->core = core;
    law->seed = random;
    return status;
}

/* ---- False sharing, on real cores ------------------------------------------------------------------------------------ */

enum sharing_operation { SHARING_ADD = 0, SHARING_CAS, SHARING_LOAD_STORE, SHARING_STORE_FENCE, SHARING_STORE, SHARING_LOAD, SHARING_OPERATIONS };
enum { SHARING_MOST = 8, SHARING_FARTHEST = 512, SHARING_LOOK = 4096 };

struct sharing {
    int32_t operation;
    int64_t offset;         /* bytes from one member's word to the next one's; 0: all use the same */
    uint64_t operations;    /* of each member */
    unsigned char *words;   /* of 32 bits, so that none straddles two lines */
    spe_cancel cancel;
    int32_t threads;
    uint64_t *sums;         /* of all words at the end of each trial */
};

/* Isolates: the way of a line between cores, by what is done to it. Each member works on its own word (or all on one), and
 * nothing in the program connects the words. The atomics are relaxed: no order is asked for, the line alone is fought over.
 * Load + store is a plain counter, a race by intent where the word is the same; volatile keeps it out of a register. */
static void use_word(void *task, int32_t member)
{
    struct sharing *sharing = task;
    unsigned char *place = sharing->words + member * sharing->offset;
    _Atomic uint32_t *word = (_Atomic uint32_t *)place;
    volatile uint32_t *plain = (volatile uint32_t *)place;
    for (uint64_t left = sharing->operations; left > 0 && !*sharing->cancel;) {
        uint64_t n = left < SHARING_LOOK ? left : SHARING_LOOK;
        left -= n;
        switch (sharing->operation) {
        case SHARING_ADD:
            for (; n > 0; n--)
                atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
            break;
        case SHARING_CAS:
            for (; n > 0; n--) {
                uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
                while (!atomic_compare_exchange_weak_explicit(word, &seen, seen + 1, memory_order_relaxed, memory_order_relaxed))
                    continue;
            }
            break;
        case SHARING_LOAD_STORE:
            for (; n > 0; n--)
                *plain = *plain + 1;
            break;
        case SHARING_STORE_FENCE:           /* the fence waits until the store has left the store buffer, for the line itself */
            for (; n > 0; n--) {
                atomic_store_explicit(word, (uint32_t)n, memory_order_relaxed);
                atomic_thread_fence(memory_order_seq_cst);
            }
            break;
        case SHARING_STORE:
            for (; n > 0; n--)
                atomic_store_explicit(word, (uint32_t)n, memory_order_relaxed);
            break;
        default:
            for (; n > 0; n--) {
                uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
                SPE_OPAQUE(seen);
            }
        }
    }
}

static void clear_words(void *task)
{
    const struct sharing *sharing = task;
    for (int32_t member = 0; member < sharing->threads; member++)
        *(uint32_t *)(sharing->words + member * sharing->offset) = 0;
}

static void sum_words(void *task, uint64_t trial)
{
    const struct sharing *sharing = task;
    uint64_t sum = 0;
    for (int32_t member = 0; member < (sharing->offset > 0 ? sharing->threads : 1); member++)
        sum += *(uint32_t *)(sharing->words + member * sharing->offset);
    sharing->sums[trial] = sum;
}

/* Runs trials of `operations` operations by each of `threads` members, their words `offset` bytes apart. records[trials ·
 * threads] tell when each worked; sums[trials] the sum of all words at the end, which is operations · threads if nothing was
 * lost. One trial more is run first, to warm up, and not recorded. */
int32_t share_words(int32_t operation, int32_t threads, const int32_t *cpus, int64_t offset, uint64_t operations, uint64_t trials, struct team_record *records,
                    uint64_t *sums, spe_cancel cancel)
{
    _Alignas(SHARING_FARTHEST) unsigned char words[SHARING_MOST * SHARING_FARTHEST];  /* at the start of a line, and alone on its lines */
    struct sharing sharing = { operation, offset, operations, words, cancel, threads, sums };
    struct trials how = { .body = use_word, .reset = clear_words, .keep = sum_words, .task = &sharing, .records = records };
    if (operation < 0 || operation >= SHARING_OPERATIONS || threads < 1 || threads > SHARING_MOST || offset < 0 || offset > SHARING_FARTHEST || offset % 4)
        return SPE_BAD_ARGUMENT;
    return team_trials(&how, threads, cpus, 0, trials, cancel);
}

struct handing {
    void *turn;             /* an _Atomic uint32_t: the number of the hand-off that comes next */
    uint64_t rounds;
    spe_cancel cancel;
};

/* Isolates: the hand-off of a line. Two members take turns: each waits for its number and writes the next one. The pause in
 * the waiting loop leaves the line to the writer: with it trials agree within 2 %, without it within 30 %. */
static void hand_over(void *task, int32_t member)
{
    const struct handing *handing = task;
    _Atomic uint32_t *turn = handing->turn;
    for (uint32_t mine = (uint32_t)member; mine < 2 * handing->rounds; mine += 2) {
        while (atomic_load_explicit(turn, memory_order_acquire) != mine) {
            if (*handing->cancel)
                return;
            spe_relax();
        }
        atomic_store_explicit(turn, mine + 1, memory_order_release);
    }
}

static void begin_handing(void *task)
{
    const struct handing *handing = task;
    atomic_store_explicit((_Atomic uint32_t *)handing->turn, 0, memory_order_relaxed);
}

/* Runs trials of `rounds` rounds of two hand-offs each, between two members; records[trials · 2] as above. */
int32_t hand_over_line(const int32_t *cpus, uint64_t rounds, uint64_t trials, struct team_record *records, spe_cancel cancel)
{
    _Alignas(SHARING_FARTHEST) struct {
        _Atomic uint32_t turn;
        char apart[SHARING_FARTHEST - 4];
    } line;
    struct handing handing = { &line.turn, rounds, cancel };
    struct trials how = { .body = hand_over, .reset = begin_handing, .task = &handing, .records = records };
    if (rounds > UINT32_MAX / 2)
        return SPE_BAD_ARGUMENT;
    return team_trials(&how, 2, cpus, 0, trials, cancel);
}

struct pair {
    uintptr_t work[2];      /* void work(void *state, uint64_t n), one for each member */
    void *state[2];
    uint64_t n;
};

static void do_work(void *task, int32_t member)
{
    const struct pair *pair = task;
    ((void (*)(void *, uint64_t))pair->work[member])(pair->state[member], pair->n);
}

/* Runs trials of two functions side by side, n units of work each, on one state or on two: what they share is all that
 * differs. The reader's own code is called by this. Not cancelled within a trial: it runs in a process that can be ended. */
int32_t run_beside(uintptr_t first, void *first_state, uintptr_t second, void *second_state, const int32_t *cpus, uint64_t n, uint64_t trials,
                   struct team_record *records)
{
    const int32_t never = 0;
    struct pair pair = { { first, second }, { first_state, second_state }, n };
    struct trials how = { .body = do_work, .task = &pair, .records = records };
    return team_trials(&how, 2, cpus, 0, trials, &never);
}
