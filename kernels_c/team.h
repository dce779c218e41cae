/* team.h: a team of threads for trial kernels.
 *
 *     struct trials how = { .body = body, .task = &task, .elapsed_ns = elapsed, .records = records };
 *     int32_t status = team_trials(&how, threads, cpus, blocking, trials, cancel);
 *
 * runs body(&task, member) in every member, the caller being member 0, once for each trial, and records what the gate needs.
 * Members live from open to close: creating a thread takes 25 µs, releasing one that spins a tenth of a microsecond.
 * Waiting members spin, or block where there are more threads than CPUs or where speed does not matter. No call returns
 * before every member is back from the body, so a body that may run long checks the cancel flag itself.
 */
#ifndef SPE_TEAM_H
#define SPE_TEAM_H

#include "gate.h"

#include <stdatomic.h>

enum { TEAM_MOST = 128, TEAM_STACK_BYTES = 262144 };

/* The work of a member in each fork; all members share `task`. */
typedef void (*team_body)(void *task, int32_t member);

/* One member in one trial: the input of the gate. */
struct team_record {
    int64_t began_ns;           /* of its last body */
    int64_t ended_ns;
    int64_t preemptions;        /* since team_watch */
    int64_t run_delay_ns;       /* run-queue delay since team_watch; 0 where the system does not report it */
};

struct team_member {            /* each on lines of its own: two, since some cores fetch lines in pairs */
    struct team *team;
    int32_t number;
    int32_t cpu;                /* -1: any */
    int32_t run_delay_file;
    pthread_t thread;
    struct team_record seen;
    char apart[128];
};

struct team {
    _Atomic uint32_t turn;      /* counts forks; the last one, with body NULL, ends the members */
    char apart[124];
    _Atomic int32_t working;    /* members other than 0 that are not back yet */
    char far_apart[124];
    team_body body;
    void *task;
    int32_t threads;
    int32_t blocking;
    int64_t slack_ns;
    pthread_mutex_t mutex;
    pthread_cond_t forked, joined;
#if defined(__linux__)
    cpu_set_t affinity;         /* the caller's, given back by team_close */
#endif
    struct team_member members[TEAM_MOST];
};

static inline void team_do(struct team *team, struct team_member *self)
{
    self->seen.began_ns = spe_clock();
    team->body(team->task, self->number);
    self->seen.ended_ns = spe_clock();
}

static inline void team_settle(struct team_member *self)
{
    spe_pin(self->cpu);
    self->run_delay_file = spe_open_run_delay();
}

static void *team_live(void *argument)
{
    struct team_member *self = argument;
    struct team *team = self->team;
    team_settle(self);
    spe_set_timer_slack(1);
    for (uint32_t turn = 1;; turn++) {
        if (team->blocking) {
            pthread_mutex_lock(&team->mutex);
            while (atomic_load_explicit(&team->turn, memory_order_acquire) != turn)
                pthread_cond_wait(&team->forked, &team->mutex);
            pthread_mutex_unlock(&team->mutex);
        } else {
            while (atomic_load_explicit(&team->turn, memory_order_acquire) != turn)
                spe_relax();
        }
        int last = team->body == NULL;
        if (!last)
            team_do(team, self);
        else if (self->run_delay_file >= 0)
            close(self->run_delay_file);
        if (atomic_fetch_sub_explicit(&team->working, 1, memory_order_acq_rel) == 1 && team->blocking) {
            pthread_mutex_lock(&team->mutex);
            pthread_cond_signal(&team->joined);
            pthread_mutex_unlock(&team->mutex);
        }
        if (last)
            return NULL;
    }
}

static inline void team_release(struct team *team, team_body body, void *task)
{
    team->body = body;
    team->task = task;
    atomic_store_explicit(&team->working, team->threads - 1, memory_order_relaxed);
    if (team->blocking)
        pthread_mutex_lock(&team->mutex);
    atomic_fetch_add_explicit(&team->turn, 1, memory_order_release);
    if (team->blocking) {
        pthread_cond_broadcast(&team->forked);
        pthread_mutex_unlock(&team->mutex);
    }
}

/* Runs `body` in every member, and returns when all are back. */
static inline void team_fork(struct team *team, team_body body, void *task)
{
    team_release(team, body, task);
    team_do(team, &team->members[0]);
    if (team->blocking) {
        pthread_mutex_lock(&team->mutex);
        while (atomic_load_explicit(&team->working, memory_order_acquire) > 0)
            pthread_cond_wait(&team->joined, &team->mutex);
        pthread_mutex_unlock(&team->mutex);
    } else {
        while (atomic_load_explicit(&team->working, memory_order_acquire) > 0)
            spe_relax();
    }
}

/* Ends and joins all members but the caller, and restores the caller's CPUs and timer slack. */
static inline void team_close(struct team *team)
{
    team_release(team, NULL, NULL);
    for (int32_t i = 1; i < team->threads; i++)
        pthread_join(team->members[i].thread, NULL);
    if (team->members[0].run_delay_file >= 0)
        close(team->members[0].run_delay_file);
    spe_set_timer_slack(team->slack_ns);
#if defined(__linux__)
    pthread_setaffinity_np(pthread_self(), sizeof team->affinity, &team->affinity);
#endif
    pthread_cond_destroy(&team->forked);
    pthread_cond_destroy(&team->joined);
    pthread_mutex_destroy(&team->mutex);
}

/* Makes a team of `threads` (1 … TEAM_MOST), the caller being member 0; member i is pinned to CPU cpus[i] (-1: any).
 * After SPE_NO_THREADS no thread is left. */
static inline int32_t team_open(struct team *team, int32_t threads, const int32_t *cpus, int32_t blocking)
{
    pthread_attr_t attributes;
    if (threads < 1 || threads > TEAM_MOST)
        return SPE_BAD_ARGUMENT;
    atomic_init(&team->turn, 0);
    atomic_init(&team->working, 0);
    team->threads = threads;
    team->blocking = blocking;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->forked, NULL);
    pthread_cond_init(&team->joined, NULL);
#if defined(__linux__)
    pthread_getaffinity_np(pthread_self(), sizeof team->affinity, &team->affinity);
#endif
    team->slack_ns = spe_set_timer_slack(1);
    for (int32_t i = 0; i < threads; i++) {
        team->members[i].team = team;
        team->members[i].number = i;
        team->members[i].cpu = cpus[i];
    }
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, TEAM_STACK_BYTES);
    for (int32_t i = 1; i < threads; i++) {
        if (pthread_create(&team->members[i].thread, &attributes, team_live, &team->members[i]) != 0) {
            team->threads = i;
            break;
        }
    }
    pthread_attr_destroy(&attributes);
    team_settle(&team->members[0]);
    if (team->threads < threads) {
        team_close(team);
        return SPE_NO_THREADS;
    }
    return SPE_OK;
}

static inline void team_note(void *task, int32_t member)
{
    struct team_member *self = &((struct team *)task)->members[member];
    self->seen.preemptions = spe_preemptions();
    self->seen.run_delay_ns = spe_run_delay(self->run_delay_file);
}

/* Every member notes its counters. */
static inline void team_watch(struct team *team) { team_fork(team, team_note, team); }

/* Writes what happened to every member since team_watch: records[0 … threads). */
static inline void team_report(struct team *team, struct team_record *records)
{
    for (int32_t i = 0; i < team->threads; i++)
        records[i] = team->members[i].seen;
    team_fork(team, team_note, team);
    for (int32_t i = 0; i < team->threads; i++) {
        records[i].preemptions = team->members[i].seen.preemptions - records[i].preemptions;
        records[i].run_delay_ns = team->members[i].seen.run_delay_ns - records[i].run_delay_ns;
    }
}

/* The trials of a kernel. All but `task` and one of `body` and `run` may be NULL. */
struct trials {
    team_body body;                                     /* one fork of this is a trial */
    int32_t (*run)(struct team *team, void *task);      /* or this, in member 0: it may fork, and returns a status */
    void (*reset)(void *task);                          /* before each trial, untimed */
    void (*keep)(void *task, uint64_t trial);           /* after each trial that is recorded, untimed */
    void *task;
    int64_t *elapsed_ns;                                /* [trials] */
    struct team_record *records;                        /* [trials · width] */
    uint64_t width;                                     /* records of a trial; 0: one for each member */
};

/* Runs `trials` trials in a team, after a warm-up trial that is not recorded. Once *cancel is set, it ends after the
 * running trial and returns SPE_CANCELLED. */
static inline int32_t team_trials(const struct trials *how, int32_t threads, const int32_t *cpus, int32_t blocking, uint64_t trials, spe_cancel cancel)
{
    struct team team;
    const uint64_t width = how->width > 0 ? how->width : (uint64_t)threads;
    int32_t status = team_open(&team, threads, cpus, blocking);
    if (status != SPE_OK)
        return status;
    for (uint64_t i = 0; i <= trials && status == SPE_OK && !*cancel; i++) {
        if (how->reset)
            how->reset(how->task);
        team_watch(&team);              /* counters of every member, outside the timed region */
        const int64_t began = spe_clock();
        if (how->run)
            status = how->run(&team, how->task);
        else
            team_fork(&team, how->body, how->task);
        const int64_t elapsed = spe_clock() - began;
        if (i == 0 || status != SPE_OK)
            continue;
        if (how->elapsed_ns)
            how->elapsed_ns[i - 1] = elapsed;
        if (how->records)
            team_report(&team, &how->records[(i - 1) * width]);
        if (how->keep)
            how->keep(how->task, i - 1);
    }
    team_close(&team);                  /* all threads have ended; the caller is restored */
    return status == SPE_OK && *cancel ? SPE_CANCELLED : status;
}

#endif
