/* cache.c: simulated caches and TLBs, exact for what they describe, and LRU stack distances.
 *
 * A level is a table of blocks (lines or pages; the simulator does not care which) of `sets` sets with `ways` places each.
 * Replacement within a set: the least recently used block, the oldest, any, or the one that a tree of bits points to.
 * All tables are the caller's; `cache_clear` prepares them.
 *
 * A second, independent route to a fully associative LRU cache is `stack_distances`: one pass counts the misses of every
 * capacity at once (Mattson, Gecsei, Slutz, Traiger, IBM Systems Journal 1970; the tree of counts is Bennett's and Kruskal's).
 */
#include "spe.h"

enum { SPE_LRU = 0, SPE_FIFO = 1, SPE_ANY = 2, SPE_TREE = 3, SPE_MOST_SCANNED = 64, SPE_MOST_LEVELS = 8, SPE_STREAMS = 16 };
enum { SPE_INDEPENDENT = 0, SPE_INCLUSIVE = 1, SPE_EXCLUSIVE = 2 };
enum { SPE_NO_PREFETCH = 0, SPE_NEXT_LINE = 1, SPE_STRIDE = 2 };

#define NOTHING UINT64_MAX

struct cache_level {
    int64_t block_bits;      /* a block has 2^block_bits bytes */
    int64_t sets;            /* a power of two; 1: fully associative */
    int64_t ways;            /* at most SPE_MOST_SCANNED, or any number if sets is 1 and `index` is given */
    int32_t policy;
    uint64_t *blocks;        /* sets · ways of them. LRU and FIFO: newest first in each set, unless `index` is given */
    uint64_t *tree;          /* SPE_TREE: one word a set */
    uint32_t *index;         /* 0, or buckets + 3 · ways words: heads of chains, then chain, newer and older of each place */
    uint64_t buckets;        /* a power of two */
    uint64_t newest, oldest; /* with an index: ends of the list of places */
    uint64_t random;
};

struct prefetcher {
    int32_t kind;
    uint64_t fetched;                  /* lines brought to the first level without being asked for */
    uint64_t page[SPE_STREAMS];        /* SPE_STRIDE: the last address and step within each of a few pages */
    uint64_t last[SPE_STREAMS];
    int64_t step[SPE_STREAMS];
    int32_t seen[SPE_STREAMS];         /* how often in a row that step was seen */
};

/* ---- One level with an index: a hash table finds a place, a list orders the places by age --------------------------- */

static uint32_t *chains(const struct cache_level *c) { return c->index + c->buckets; }
static uint32_t *newers(const struct cache_level *c) { return chains(c) + c->ways; }
static uint32_t *olders(const struct cache_level *c) { return newers(c) + c->ways; }

static uint32_t *head(const struct cache_level *c, uint64_t block) { return &c->index[((block * 0x9e3779b97f4a7c15u) >> 32) & (c->buckets - 1)]; }

static uint64_t find_place(const struct cache_level *c, uint64_t block)
{
    uint64_t place = *head(c, block);
    while (place != UINT32_MAX && c->blocks[place] != block)
        place = chains(c)[place];
    return place;
}

static void unlink_place(struct cache_level *c, uint64_t place)
{
    uint32_t newer = newers(c)[place], older = olders(c)[place];
    if (newer == UINT32_MAX)
        c->newest = older;
    else
        olders(c)[newer] = older;
    if (older == UINT32_MAX)
        c->oldest = newer;
    else
        newers(c)[older] = newer;
}

static void make_newest(struct cache_level *c, uint64_t place)
{
    if (c->newest == place)
        return;
    unlink_place(c, place);
    newers(c)[place] = UINT32_MAX;
    olders(c)[place] = (uint32_t)c->newest;
    newers(c)[c->newest] = (uint32_t)place;
    c->newest = place;
}

static void make_oldest(struct cache_level *c, uint64_t place)
{
    if (c->oldest == place)
        return;
    unlink_place(c, place);
    olders(c)[place] = UINT32_MAX;
    newers(c)[place] = (uint32_t)c->oldest;
    olders(c)[c->oldest] = (uint32_t)place;
    c->oldest = place;
}

static void forget(struct cache_level *c, uint64_t place)
{
    uint32_t *at = head(c, c->blocks[place]);
    while (*at != place)
        at = &chains(c)[*at];
    *at = chains(c)[place];
    c->blocks[place] = NOTHING;
}

static uint64_t insert_indexed(struct cache_level *c, uint64_t block)
{
    uint64_t place = c->oldest, victim;
    if (c->policy == SPE_ANY && c->blocks[place] != NOTHING)
        place = spe_random_below(&c->random, (uint64_t)c->ways);
    victim = c->blocks[place];
    if (victim != NOTHING)
        forget(c, place);
    c->blocks[place] = block;
    chains(c)[place] = *head(c, block);
    *head(c, block) = (uint32_t)place;
    make_newest(c, place);
    return victim;
}

/* ---- One level: look, insert, discard ------------------------------------------------------------------------------- */

/* Each bit of the tree points to the half that was used less recently; an access turns those on its way to the other side. */
static void turn_tree(const struct cache_level *c, uint64_t set, uint64_t way)
{
    uint64_t node = 1;
    for (uint64_t half = (uint64_t)c->ways >> 1; half > 0; half >>= 1) {
        uint64_t right = (way & half) != 0;
        c->tree[set] = (c->tree[set] & ~((uint64_t)1 << node)) | (right ^ 1) << node;
        node = 2 * node + right;
    }
}

static uint64_t pointed_to(const struct cache_level *c, uint64_t set)
{
    uint64_t node = 1, way = 0;
    for (uint64_t half = (uint64_t)c->ways >> 1; half > 0; half >>= 1) {
        uint64_t right = c->tree[set] >> node & 1;
        way |= right ? half : 0;
        node = 2 * node + right;
    }
    return way;
}

/* Whether the block is there; if so, this was a use of it. */
static int look(struct cache_level *c, uint64_t block)
{
    if (c->index) {
        uint64_t place = find_place(c, block);
        if (place == UINT32_MAX)
            return 0;
        if (c->policy == SPE_LRU)
            make_newest(c, place);
        return 1;
    }
    uint64_t set = block & (uint64_t)(c->sets - 1), *blocks = c->blocks + set * (uint64_t)c->ways;
    for (int64_t i = 0; i < c->ways; i++) {
        if (blocks[i] != block)
            continue;
        if (c->policy == SPE_LRU) {
            for (; i > 0; i--)
                blocks[i] = blocks[i - 1];
            blocks[0] = block;
        } else if (c->policy == SPE_TREE) {
            turn_tree(c, set, (uint64_t)i);
        }
        return 1;
    }
    return 0;
}

/* Puts a block that is not there in; returns the one that had to go, or NOTHING. */
static uint64_t insert(struct cache_level *c, uint64_t block)
{
    if (c->index)
        return insert_indexed(c, block);
    uint64_t set = block & (uint64_t)(c->sets - 1), *blocks = c->blocks + set * (uint64_t)c->ways, victim;
    if (c->policy == SPE_LRU || c->policy == SPE_FIFO) {
        victim = blocks[c->ways - 1];
        for (int64_t i = c->ways - 1; i > 0; i--)
            blocks[i] = blocks[i - 1];
        blocks[0] = block;
        return victim;
    }
    int64_t way = 0;
    while (way < c->ways && blocks[way] != NOTHING)
        way++;
    if (way == c->ways)
        way = (int64_t)(c->policy == SPE_TREE ? pointed_to(c, set) : spe_random_below(&c->random, (uint64_t)c->ways));
    victim = blocks[way];
    blocks[way] = block;
    if (c->policy == SPE_TREE)
        turn_tree(c, set, (uint64_t)way);
    return victim;
}

static void discard(struct cache_level *c, uint64_t block)
{
    if (c->index) {
        uint64_t place = find_place(c, block);
        if (place != UINT32_MAX) {
            forget(c, place);
            make_oldest(c, place);
        }
        return;
    }
    uint64_t *blocks = c->blocks + (block & (uint64_t)(c->sets - 1)) * (uint64_t)c->ways;
    for (int64_t i = 0; i < c->ways; i++) {
        if (blocks[i] != block)
            continue;
        if (c->policy == SPE_LRU || c->policy == SPE_FIFO)
            for (; i + 1 < c->ways; i++)
                blocks[i] = blocks[i + 1];
        blocks[i] = NOTHING;
        return;
    }
}

/* ---- Several levels -------------------------------------------------------------------------------------------------- */

/* Brings the block of `address` to the first level. Returns the first level that had it (`count`: memory did). */
static int64_t fetch(struct cache_level *levels, int64_t count, int32_t inclusion, uint64_t address)
{
    int64_t found = 0;
    while (found < count && !look(&levels[found], address >> levels[found].block_bits))
        found++;
    if (found == 0)
        return 0;
    if (inclusion == SPE_EXCLUSIVE) { /* a block moves inwards, and what it drives out moves one level outwards */
        if (found < count)
            discard(&levels[found], address >> levels[found].block_bits);
        uint64_t moved = address >> levels[0].block_bits;
        for (int64_t i = 0; i < count && moved != NOTHING; i++)
            moved = insert(&levels[i], moved);
        return found;
    }
    for (int64_t i = found - 1; i >= 0; i--) { /* outermost first: what it drives out must not be what was just brought in */
        uint64_t victim = insert(&levels[i], address >> levels[i].block_bits);
        if (inclusion != SPE_INCLUSIVE || victim == NOTHING)
            continue;
        for (int64_t inner = 0; inner < i; inner++) {
            int64_t bits = levels[i].block_bits - levels[inner].block_bits;
            for (uint64_t part = victim << bits; part < (victim + 1) << bits; part++)
                discard(&levels[inner], part);
        }
    }
    return found;
}

static void prefetch(struct cache_level *levels, int64_t count, int32_t inclusion, struct prefetcher *p, uint64_t address, int missed)
{
    uint64_t wanted = address;
    if (p->kind == SPE_NEXT_LINE) {
        if (!missed)
            return;
        wanted = address + ((uint64_t)1 << levels[0].block_bits);
    } else { /* SPE_STRIDE: the same step twice in a row within a page is taken to go on */
        uint64_t page = address >> 12, slot = page % SPE_STREAMS;
        int64_t step = (int64_t)(address - p->last[slot]);
        if (p->page[slot] != page) {
            p->page[slot] = page;
            p->seen[slot] = 0;
            p->step[slot] = 0;
        } else {
            p->seen[slot] = step == p->step[slot] ? p->seen[slot] + 1 : 0;
            p->step[slot] = step;
        }
        p->last[slot] = address;
        if (p->seen[slot] < 1 || p->step[slot] == 0)
            return;
        int64_t ahead = p->step[slot], line = (int64_t)1 << levels[0].block_bits;
        if (ahead > -line && ahead < line) /* the next line, if the next element is in this one */
            ahead = ahead > 0 ? line : -line;
        wanted = address + (uint64_t)ahead;
    }
    p->fetched += fetch(levels, count, inclusion, wanted) > 0;
}

/* Empties a level. */
int32_t cache_clear(struct cache_level *c)
{
    int64_t sets = c->sets, ways = c->ways;
    if (sets < 1 || (sets & (sets - 1)) || ways < 1 || c->block_bits < 0 || c->block_bits > 40 || c->policy < SPE_LRU || c->policy > SPE_TREE)
        return SPE_BAD_ARGUMENT;
    if (c->index ? sets != 1 || ways >= UINT32_MAX || c->policy == SPE_TREE || c->buckets == 0 || (c->buckets & (c->buckets - 1)) : ways > SPE_MOST_SCANNED)
        return SPE_BAD_ARGUMENT;
    if (c->policy == SPE_TREE && ((ways & (ways - 1)) || c->tree == 0))
        return SPE_BAD_ARGUMENT;
    for (int64_t i = 0; i < sets * ways; i++)
        c->blocks[i] = NOTHING;
    for (int64_t i = 0; c->policy == SPE_TREE && i < sets; i++)
        c->tree[i] = 0;
    if (c->index) {
        for (uint64_t i = 0; i < c->buckets; i++)
            c->index[i] = UINT32_MAX;
        for (int64_t i = 0; i < ways; i++) {
            newers(c)[i] = i ? (uint32_t)(i - 1) : UINT32_MAX;
            olders(c)[i] = i + 1 < ways ? (uint32_t)(i + 1) : UINT32_MAX;
        }
        c->newest = 0;
        c->oldest = (uint64_t)(ways - 1);
    }
    return SPE_OK;
}

/* Runs a trace of `n` accesses through levels that were cleared, or that hold what an earlier call left in them, and adds
 * to misses[i] what level i had not. An access of `bytes[k]` bytes (one where `bytes` is 0) touches every first-level line
 * that it overlaps. `accesses` counts those. Some 20 ns a miss of a large level with an index; 2 to 5 ns of one with 8 ways. */
int32_t cache_run(struct cache_level *levels, int64_t count, int32_t inclusion, struct prefetcher *p, const uint64_t *addresses, const uint32_t *bytes,
                  int64_t n, uint64_t *accesses, uint64_t *misses, spe_cancel cancel)
{
    if (count < 1 || count > SPE_MOST_LEVELS || n < 0 || inclusion < SPE_INDEPENDENT || inclusion > SPE_EXCLUSIVE)
        return SPE_BAD_ARGUMENT;
    for (int64_t i = 1; i < count; i++) /* no level's block may be smaller than its inner neighbour's, nor larger if blocks move */
        if (levels[i].block_bits < levels[i - 1].block_bits || (inclusion == SPE_EXCLUSIVE && levels[i].block_bits != levels[i - 1].block_bits))
            return SPE_BAD_ARGUMENT;
    if (*cancel)
        return SPE_CANCELLED;
    const int64_t bits = levels[0].block_bits;
    for (int64_t k = 0; k < n; k++) {
        uint64_t first = addresses[k] >> bits, last = bytes ? (addresses[k] + bytes[k] - (bytes[k] > 0)) >> bits : first;
        for (uint64_t line = first; line <= last; line++) {
            uint64_t address = line == first ? addresses[k] : line << bits;
            int64_t found = fetch(levels, count, inclusion, address);
            if ((++*accesses & 0xffff) == 0 && *cancel) /* here, since one access may touch millions of lines */
                return SPE_CANCELLED;
            for (int64_t i = 0; i < found; i++)
                misses[i]++;
            if (p->kind != SPE_NO_PREFETCH)
                prefetch(levels, count, inclusion, p, address, found > 0);
        }
    }
    return SPE_OK;
}

/* ---- Every capacity at once ------------------------------------------------------------------------------------------ */

/* The LRU stack distance of a use is the number of other blocks used since the last use of the same block: it hits in
 * every fully associative LRU cache with more blocks than that. Writes how many uses have distance d to distances[d],
 * d < span; first uses are not among them. Blocks are numbers below `span`.
 *
 * `last[span]` holds the time of each block's last use; `tree` (length + 1 words, length a power of two of at least
 * 2 · span) counts in a Fenwick tree the times that are some block's last; `owner[length]` says whose. When the times are
 * used up, those in use are moved together, so that the tree stays as small as the data: O(log span) for each use. */
int32_t stack_distances(const uint32_t *used, int64_t n, int64_t span, uint32_t *last, uint32_t *owner, uint32_t *tree, int64_t length, uint64_t *distances,
                        spe_cancel cancel)
{
    if (span < 1 || length < 2 * span || (length & (length - 1)) || length > UINT32_MAX / 2)
        return SPE_BAD_ARGUMENT;
    int64_t now = 0, known = 0;
    for (int64_t i = 0; i < span; i++)
        last[i] = UINT32_MAX;
    for (int64_t i = 0; i <= length; i++)
        tree[i] = 0;
    for (int64_t k = 0; k < n; k++) {
        if ((k & 0xffff) == 0 && *cancel)
            return SPE_CANCELLED;
        if (used[k] >= span)
            return SPE_BAD_ARGUMENT;
        if (now == length) {
            int64_t kept = 0;
            for (int64_t t = 0; t < length; t++)
                if (last[owner[t]] == t) {
                    last[owner[t]] = (uint32_t)kept;
                    owner[kept++] = owner[t];
                }
            for (int64_t i = 1; i <= length; i++) { /* a tree over `kept` ones in front: node i covers the (i & -i) times up to i */
                int64_t from = i - (i & -i);
                tree[i] = (uint32_t)(kept <= from ? 0 : kept < i ? kept - from : i - from);
            }
            now = kept;
        }
        uint64_t block = used[k];
        if (last[block] != UINT32_MAX) {
            int64_t before = 0; /* blocks whose last use is no later than this one's */
            for (int64_t i = (int64_t)last[block] + 1; i > 0; i -= i & -i)
                before += tree[i];
            distances[known - before]++;
            for (int64_t i = (int64_t)last[block] + 1; i <= length; i += i & -i)
                tree[i]--;
        } else {
            known++;
        }
        for (int64_t i = now + 1; i <= length; i += i & -i)
            tree[i]++;
        last[block] = (uint32_t)now;
        owner[now++] = (uint32_t)block;
    }
    return SPE_OK;
}
