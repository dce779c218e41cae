/* objectives.c: what a service objective has to reckon with: requests that wait for many leaves, requests that
 * are sent twice, and clocks that are started too late.
 *
 * Gaps and service times come in arrays, whatever law they are drawn from, so that every function here is a replay: the same
 * on every machine. Each takes a few nanoseconds for a service time; times are in any one unit.
 */
#include "spe.h"

enum { LOOK_EVERY = 65536 };    /* requests between two looks at the cancel flag: about a millisecond */

/* ---- A fan-out whose leaves are queues ------------------------------------------------------------------------------- */

/* Request i arrives gap[i] after the one before, at all `leaves` servers at once; each has its own line, first come, first
 * served, and works service[i·leaves + k] for it. Writes the time until the last of them is done.
 *
 * Isolates what independence leaves out: a burst of requests makes all lines long together. `free_at` is scratch, one for
 * each leaf. */
int32_t fork_join(const double *gap, const double *service, int64_t requests, int64_t leaves, double *free_at, double *sojourn, spe_cancel cancel)
{
    if (requests < 0 || leaves < 1)
        return SPE_BAD_ARGUMENT;
    for (int64_t k = 0; k < leaves; k++)
        free_at[k] = 0;
    int64_t until_look = 0;
    double now = 0;
    for (int64_t i = 0; i < requests; i++) {
        if ((until_look -= leaves) <= 0) {
            if (*cancel)
                return SPE_CANCELLED;
            until_look = LOOK_EVERY;
        }
        now += gap[i];
        double last = now;
        for (int64_t k = 0; k < leaves; k++) {
            free_at[k] = (free_at[k] > now ? free_at[k] : now) + service[i * leaves + k];
            last = free_at[k] > last ? free_at[k] : last;
        }
        sojourn[i] = last - now;
    }
    return SPE_OK;
}

/* ---- Hedged requests in queues ----------------------------------------------------------------------------------------- */

struct hedging {
    int64_t servers;    /* replicas, each with a line of its own, first come, first served */
    double delay;       /* a request that is not answered after it is sent again, to another replica */
    uint64_t seed;      /* of the choice of replicas */
};

/* Request i joins the line of a random replica, and after the delay, if it is not done, that of another one; whichever is
 * done first counts. The other copy is worked off all the same, as where nothing cancels it: that is the load that hedging adds.
 *
 * No list of events is needed. A request's end is known as soon as it is sent, since a line is worked off in order; and as
 * the delay is the same for all, copies are sent in the order in which their requests came.
 *
 * `service` and `again` hold the service times of first and second copies. Scratch: `free_at`, one for each server; `arrived`
 * and `first`, one for each request. Writes each request's sojourn time and whether a copy was sent. */
int32_t hedge_in_queues(const struct hedging *with, const double *gap, const double *service, const double *again, int64_t requests, double *free_at,
                        double *arrived, int32_t *first, double *sojourn, uint8_t *copied, spe_cancel cancel)
{
    const uint64_t servers = (uint64_t)with->servers;
    if (requests < 0 || with->servers < 2 || with->servers > INT32_MAX || !(with->delay >= 0))
        return SPE_BAD_ARGUMENT;
    uint64_t random = with->seed;
    for (uint64_t k = 0; k < servers; k++)
        free_at[k] = 0;
    double now = 0;
    int64_t waiting = 0;    /* the oldest request whose copy is not decided on */
    for (int64_t i = 0; i <= requests; i++) {
        if (i % LOOK_EVERY == 0 && *cancel)
            return SPE_CANCELLED;
        if (i < requests)
            now += gap[i];
        for (; waiting < i && (i == requests || arrived[waiting] + with->delay <= now); waiting++) {
            const double sent = arrived[waiting] + with->delay;
            copied[waiting] = sojourn[waiting] > with->delay;
            if (copied[waiting]) {
                const uint64_t other = ((uint64_t)first[waiting] + 1 + spe_random_below(&random, servers - 1)) % servers;
                free_at[other] = (free_at[other] > sent ? free_at[other] : sent) + again[waiting];
                const double took = free_at[other] - arrived[waiting];
                sojourn[waiting] = took < sojourn[waiting] ? took : sojourn[waiting];
            }
        }
        if (i < requests) {
            const uint64_t chosen = spe_random_below(&random, servers);
            free_at[chosen] = (free_at[chosen] > now ? free_at[chosen] : now) + service[i];
            arrived[i] = now;
            first[i] = (int32_t)chosen;
            sojourn[i] = free_at[chosen] - now;
        }
    }
    return SPE_OK;
}

/* ---- When the clock is started ------------------------------------------------------------------------------------------- */

/* All times in nanoseconds. The server answers one request at a time, in `service`, and stands still for `frozen` after each
 * full `period`: work that a standstill meets goes on after it. */
struct stalling {
    int64_t gap;        /* between the requests that the client means to send */
    int64_t service;
    int64_t period;
    int64_t frozen;
    int64_t duration;   /* no request is sent from here on */
};

/* When work that can begin at `begin` is done. */
static int64_t served(const struct stalling *with, int64_t begin)
{
    const int64_t into = begin % with->period;
    if (begin >= with->period && into < with->frozen)
        begin += with->frozen - into;
    const int64_t awake = with->period - begin % with->period;
    return begin + with->service + (with->service > awake ? with->frozen : 0);
}

/* A client that waits for each answer before it sends the next request, and measures from when it sent it: while the server
 * stands still nothing is sent, and what was not sent is not measured. `latency` has room for duration / gap + 1 values;
 * returns how many there are. */
int64_t replay_closed(const struct stalling *with, double *latency)
{
    if (with->gap < 1 || with->service < 1 || with->frozen < 0 || with->period <= with->frozen + with->service)
        return SPE_BAD_ARGUMENT;
    int64_t count = 0, sent = 0;
    while (sent < with->duration) {
        const int64_t done = served(with, sent), next = sent + with->gap;
        latency[count++] = (double)(done - sent);
        sent = done > next ? done : next;
    }
    return count;
}

/* A client that sends on schedule whatever comes back, and measures from when the request was due. */
int64_t replay_open(const struct stalling *with, double *latency)
{
    if (with->gap < 1 || with->service < 1 || with->frozen < 0 || with->period <= with->frozen + with->service)
        return SPE_BAD_ARGUMENT;
    int64_t count = 0, free_at = 0;
    for (int64_t due = 0; due < with->duration; due += with->gap) {
        free_at = served(with, free_at > due ? free_at : due);
        latency[count++] = (double)(free_at - due);
    }
    return count;
}
