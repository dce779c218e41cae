/* coherence.c: a simulated bus of MESI caches, and real threads on one cache line (chapter 04c). */
#include "spe.h"

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
