/* queueing.c: queues, simulated customer by customer.
 *
 * Customer i comes gaps[i] after the one before, and needs a server for service[i]. All times are in one unit, whichever;
 * the first gap begins at time zero with nobody there. Gaps and services are the caller's (laws.c draws them), so that one
 * stream of customers can be sent through several systems. The caller also lends all tables.
 *
 * Where `server` is not 0, server[i] says who served customer i.
 */
#include "spe.h"

#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF    /* the same doubles everywhere: see laws.c */
#endif

enum { QUEUE_FULL = -4, QUEUE_MOST_SCANNED = 32, QUEUE_LOOK = 0xffff };

static inline int32_t stopped(int64_t i, spe_cancel cancel) { return (i & QUEUE_LOOK) == 0 && *cancel; }

/* ---- One queue, first come, first served -----------------------------------------------------------------------------
 *
 * Kiefer and Wolfowitz (1955): whoever comes next is served by the server that is free first. No event list is needed, for
 * in the order of arrival each start is known when the customer comes. */

struct turn {
    double at;               /* when this server is free */
    int32_t server;
};

static void sift_down(struct turn *heap, int32_t n, struct turn moved)
{
    int32_t place = 0;
    for (int32_t child = 1; child < n; child = 2 * place + 1) {
        child += child + 1 < n && heap[child + 1].at < heap[child].at;
        if (heap[child].at >= moved.at)
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = moved;
}

static inline int32_t first_free(const struct turn *turns, int32_t n)
{
    int32_t first = 0;
    for (int32_t k = 1; k < n; k++)
        first = turns[k].at < turns[first].at ? k : first;
    return first;
}

/* Waiting times of all customers before one shared queue. turns[servers] is scratch: scanned if it is short, a heap if not.
 * 4 ns a customer with one server, 9 with four. */
int32_t queue_shared(const double *gaps, const double *service, int64_t n, int32_t servers, struct turn *turns, double *waiting, int32_t *server,
                     spe_cancel cancel)
{
    if (n < 0 || servers < 1)
        return SPE_BAD_ARGUMENT;
    const int32_t scanned = servers <= QUEUE_MOST_SCANNED;
    double now = 0;
    for (int32_t k = 0; k < servers; k++)
        turns[k] = (struct turn){ 0, k };
    for (int64_t i = 0; i < n; i++) {
        if (stopped(i, cancel))
            return SPE_CANCELLED;
        now += gaps[i];
        const int32_t k = scanned ? first_free(turns, servers) : 0;
        struct turn turn = turns[k];
        const double start = turn.at > now ? turn.at : now;
        waiting[i] = start - now;
        if (server)
            server[i] = turn.server;
        turn.at = start + service[i];
        if (scanned)
            turns[k] = turn;
        else
            sift_down(turns, servers, turn);
    }
    return SPE_OK;
}

/* ---- Short jobs first ------------------------------------------------------------------------------------------------ */

/* One queue in which jobs of less than `below` go before all others; who is being served is not interrupted. turns[servers],
 * brief[n] and others[n] are scratch: the two lines, in the order of arrival. */
int32_t queue_priority(const double *gaps, const double *service, int64_t n, int32_t servers, double below, struct turn *turns, int32_t *brief, int32_t *others,
                       double *waiting, int32_t *server, spe_cancel cancel)
{
    if (n < 0 || n > INT32_MAX || servers < 1)
        return SPE_BAD_ARGUMENT;
    int64_t brief_first = 0, brief_end = 0, others_first = 0, others_end = 0;
    double now = 0;
    for (int32_t k = 0; k < servers; k++)
        turns[k] = (struct turn){ 0, k };
    for (int64_t i = 0; i <= n; i++) { /* one more round, in which those who still wait are served */
        if (stopped(i, cancel))
            return SPE_CANCELLED;
        if (i < n)
            now += gaps[i];
        while (brief_first < brief_end || others_first < others_end) {
            struct turn turn = turns[0];
            if (i < n && turn.at > now)
                break;
            const int32_t next = brief_first < brief_end ? brief[brief_first++] : others[others_first++];
            waiting[next] += turn.at; /* which held minus the time of arrival */
            if (server)
                server[next] = turn.server;
            turn.at += service[next];
            sift_down(turns, servers, turn);
        }
        if (i == n)
            break;
        struct turn turn = turns[0];
        if (turn.at <= now) { /* then nobody waits */
            waiting[i] = 0;
            if (server)
                server[i] = turn.server;
            turn.at = now + service[i];
            sift_down(turns, servers, turn);
        } else {
            waiting[i] = -now;
            if (service[i] < below)
                brief[brief_end++] = (int32_t)i;
            else
                others[others_end++] = (int32_t)i;
        }
    }
    return SPE_OK;
}

/* ---- Whose queue to join --------------------------------------------------------------------------------------------- */

enum { QUEUE_ROUND_ROBIN = 0 };  /* as `choices`; 1: any one; d: the shortest of d drawn with replacement, or of all if d is all */

/* ---- A queue for each server ------------------------------------------------------------------------------------------
 *
 * Who comes joins a line and stays there. A line is a ring of the times at which its customers leave; those that have passed
 * are dropped when somebody looks at the line. */

struct line {
    uint64_t first, end;     /* customers that have left it, and that have come */
    double last;             /* when its last customer leaves */
};

static inline uint64_t length_of(struct line *line, const double *ring, uint64_t mask, double now)
{
    while (line->first < line->end && ring[line->first & mask] <= now)
        line->first++;
    return line->end - line->first;
}

/* Waiting times before `servers` servers with a line each; customers choose by `choices`. lines[servers] and
 * rings[servers · slots] are scratch, slots a power of two; QUEUE_FULL if a line grows longer. */
int32_t queue_split(const double *gaps, const double *service, int64_t n, int32_t servers, int32_t choices, uint64_t seed, struct line *lines, double *rings,
                    uint64_t slots, double *waiting, int32_t *server, spe_cancel cancel)
{
    if (n < 0 || servers < 1 || choices < 0 || slots < 1 || (slots & (slots - 1)))
        return SPE_BAD_ARGUMENT;
    const uint64_t mask = slots - 1;
    double now = 0;
    for (int32_t k = 0; k < servers; k++)
        lines[k] = (struct line){ 0, 0, 0 };
    for (int64_t i = 0; i < n; i++) {
        if (stopped(i, cancel))
            return SPE_CANCELLED;
        now += gaps[i];
        int32_t joined = 0;
        if (choices == QUEUE_ROUND_ROBIN) {
            joined = (int32_t)(i % servers);
        } else if (choices == 1) {
            joined = (int32_t)spe_random_below(&seed, (uint64_t)servers);
        } else {
            const int32_t all = choices >= servers, looked_at = all ? servers : choices;
            uint64_t shortest = UINT64_MAX;
            for (int32_t k = 0; k < looked_at && shortest > 0; k++) {
                const int32_t drawn = all ? k : (int32_t)spe_random_below(&seed, (uint64_t)servers);
                const uint64_t length = length_of(&lines[drawn], &rings[(uint64_t)drawn * slots], mask, now);
                if (length < shortest) {
                    shortest = length;
                    joined = drawn;
                }
            }
        }
        struct line *line = &lines[joined];
        const double start = line->last > now ? line->last : now;
        waiting[i] = start - now;
        line->last = start + service[i];
        if (server)
            server[i] = joined;
        if (choices > 1) {
            double *ring = &rings[(uint64_t)joined * slots];
            if (line->end - line->first == slots && length_of(line, ring, mask, now) == slots)
                return QUEUE_FULL;
            ring[line->end++ & mask] = line->last;
        }
    }
    return SPE_OK;
}

/* ---- Processor sharing ------------------------------------------------------------------------------------------------
 *
 * All jobs of a station are served simultaneously, each by an equal share of its servers and by no more than one. Virtual time
 * passes as fast as a job is served: min(1, servers / jobs). A job leaves when virtual time has gone on by its service, so
 * that the next one to leave is the first of a heap, and an event costs O(log jobs), not O(jobs). */

struct job {
    double leaves;           /* in virtual time */
    int64_t customer;
};

struct station {
    double now, virtual_now;
    int64_t jobs;
};

static void push(struct job *heap, int64_t n, struct job job)
{
    int64_t place = n;
    for (; place > 0 && heap[(place - 1) / 2].leaves > job.leaves; place = (place - 1) / 2)
        heap[place] = heap[(place - 1) / 2];
    heap[place] = job;
}

static struct job pop(struct job *heap, int64_t n)
{
    const struct job first = heap[0], moved = heap[n - 1];
    int64_t place = 0;
    for (int64_t child = 1; child < n - 1; child = 2 * place + 1) {
        child += child + 1 < n - 1 && heap[child + 1].leaves < heap[child].leaves;
        if (heap[child].leaves >= moved.leaves)
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = moved;
    return first;
}

/* Lets a station's jobs be served until `until`; those that end leave, and their sojourn, until then the time of arrival,
 * is set. */
static void serve(struct station *s, struct job *heap, double servers, double until, double *sojourn)
{
    while (s->jobs > 0) {
        const double speed = servers < (double)s->jobs ? servers / (double)s->jobs : 1;
        const double next = s->now + (heap[0].leaves - s->virtual_now) / speed;
        if (next > until) {
            s->virtual_now += (until - s->now) * speed;
            break;
        }
        const struct job left = pop(heap, s->jobs--);
        s->now = next;
        s->virtual_now = s->jobs > 0 ? left.leaves : 0; /* from zero again: it keeps its precision */
        sojourn[left.customer] = next - sojourn[left.customer];
    }
    s->now = until;
}

/* Sojourn times at `stations` stations of `servers` servers each, where customers choose a station by `choices`. stations[],
 * and heaps[stations · room] are scratch; QUEUE_FULL if a station has more jobs than that. 40 to 100 ns a customer. */
int32_t queue_sharing(const double *gaps, const double *service, int64_t n, int32_t stations, int32_t servers, int32_t choices, uint64_t seed,
                      struct station *table, struct job *heaps, int64_t room, double *sojourn, int32_t *server, spe_cancel cancel)
{
    if (n < 0 || stations < 1 || servers < 1 || choices < 0 || room < 1)
        return SPE_BAD_ARGUMENT;
    double now = 0;
    for (int32_t k = 0; k < stations; k++)
        table[k] = (struct station){ 0, 0, 0 };
    for (int64_t i = 0; i < n; i++) {
        if (stopped(i, cancel))
            return SPE_CANCELLED;
        now += gaps[i];
        int32_t joined = 0;
        if (stations > 1 && choices == QUEUE_ROUND_ROBIN) {
            joined = (int32_t)(i % stations);
        } else if (stations > 1 && choices == 1) {
            joined = (int32_t)spe_random_below(&seed, (uint64_t)stations);
        } else if (stations > 1) {
            const int32_t all = choices >= stations, looked_at = all ? stations : choices;
            int64_t fewest = INT64_MAX;
            for (int32_t k = 0; k < looked_at && fewest > 0; k++) {
                const int32_t drawn = all ? k : (int32_t)spe_random_below(&seed, (uint64_t)stations);
                serve(&table[drawn], &heaps[drawn * room], servers, now, sojourn);
                if (table[drawn].jobs < fewest) {
                    fewest = table[drawn].jobs;
                    joined = drawn;
                }
            }
        }
        struct station *s = &table[joined];
        serve(s, &heaps[joined * room], servers, now, sojourn);
        if (s->jobs == room)
            return QUEUE_FULL;
        push(&heaps[joined * room], s->jobs++, (struct job){ s->virtual_now + service[i], i });
        sojourn[i] = now;
        if (server)
            server[i] = joined;
    }
    for (int32_t k = 0; k < stations; k++)
        serve(&table[k], &heaps[k * room], servers, INFINITY, sojourn);
    return SPE_OK;
}
