/* patterns.c: access patterns on the machine: a sweep, visits by list, and the scatter of a radix partition.
 *
 * Each visit waits for the one before, as the model assumes: what was loaded, masked to zero, is part of the next address.
 */
#include "spe.h"

struct visits {
    const char *region;
    const uint32_t *list;    /* item numbers in the order of their visits, or 0: storage order */
    uint64_t count;          /* visits of a lap: the list's length, or the items of the region */
    uint64_t width;          /* bytes from one item to the next, a multiple of 4 */
    uint64_t words;          /* words of 4 bytes that a visit reads, at least 1 */
    uint64_t position;
    uint64_t mask;           /* 0; not a constant, so that the compiler must take it as it comes */
};

static inline uint64_t visit(const char *item, uint64_t words)
{
    const uint32_t *word = (const uint32_t *)item;
    uint64_t sum = word[0];
    for (uint64_t j = 1; j < words; j++)
        sum += word[j];
    return sum;
}

/* Isolates: s_trav, over and over: the lines come in the order of their addresses. One visit is one unit of work. */
uint64_t visit_in_order(struct visits *state, uint64_t work)
{
    const uint64_t width = state->width, words = state->words, mask = state->mask;
    uint64_t i = state->position, sum = 0, read = 0;
    const char *item = state->region + i * width;
    for (; work > 0; work--) {
        read = visit(item + (read & mask), words);
        sum += read;
        item += width;
        if (++i == state->count) {
            i = 0;
            item = state->region;
        }
    }
    state->position = i;
    return sum;
}

/* Isolates: any pattern, the order being that of a list, as in sum += a[b[i]]: s_trav(list) ⊙ P(region). The list's words do
 * not wait for each other, so that what a visit costs is the region's doing, as long as a prefetcher keeps up with the list. */
uint64_t visit_listed(struct visits *state, uint64_t work)
{
    const uint64_t width = state->width, words = state->words, mask = state->mask;
    const uint32_t *list = state->list;
    const char *region = state->region;
    uint64_t i = state->position, sum = 0, read = 0;
    for (; work > 0; work--) {
        read = visit(region + list[i] * width + (read & mask), words);
        sum += read;
        if (++i == state->count)
            i = 0;
    }
    state->position = i;
    return sum;
}

struct scatter {
    const uint64_t *from;    /* n tuples of 8 bytes */
    uint64_t *to;
    uint64_t *cursors;       /* where the next tuple of each cluster goes: 2^bits of them */
    const uint64_t *starts;  /* where each cluster begins */
    uint64_t n;
    uint64_t bits;           /* of a tuple's upper half, from the top: its cluster */
    uint64_t position;
};

/* Isolates: the radix cliff. s_trav(from) ⊙ nest(to, 2^bits, s_trav, ran): each cluster has a cursor, and the line that it
 * writes to is open until it is full. One tuple is one unit of work. Once they have used up a lap, the cursors start again. */
uint64_t scatter_tuples(struct scatter *state, uint64_t work)
{
    const uint64_t *from = state->from;
    uint64_t *to = state->to, *cursors = state->cursors, i = state->position;
    const uint64_t shift = 64 - state->bits, last = work;
    for (; work > 0; work--) {
        uint64_t tuple = from[i];
        to[cursors[tuple >> shift]++] = tuple;
        if (++i == state->n) {
            i = 0;
            for (uint64_t c = 0; c < (uint64_t)1 << state->bits; c++)
                cursors[c] = state->starts[c];
        }
    }
    state->position = i;
    return last + i;
}
