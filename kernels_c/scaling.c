/* scaling.c: the same work in one thread and in several.
 *
 * The work is a spin of dependent steps, which needs a core, or a sleep, which needs none: what waits for a disk or for
 * another server scales far beyond the cores of this machine.
 */
#include "team.h"

#include <math.h>

/* ---- A serial and a parallel part ------------------------------------------------------------------------------------ */

struct pieces {
    int32_t waiting;        /* 0: a piece is a number of steps, 1: a piece is a sleep in nanoseconds */
    uint64_t amount;        /* of one member's piece */
};

/* Work that needs a core: dependent steps of xorshift and multiply, some 1.5 ns each. The asm keeps every step. */
static void spin(uint64_t steps)
{
    uint64_t x = steps | 1;
    for (; steps > 0; steps--) {
        x ^= x >> 12;
        x *= 0x2545f4914f6cdd1du;
        SPE_OPAQUE(x);
    }
}

/* Work that needs none. A sleep ends late by what waking takes; that is part of the model, not of the request. */
static void wait_for(uint64_t ns)
{
    struct timespec left = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    while (nanosleep(&left, &left) != 0)
        continue;
}

static void work_on(void *task, int32_t member)
{
    const struct pieces *pieces = task;
    (void)member;
    if (pieces->amount == 0)
        return;
    if (pieces->waiting)
        wait_for(pieces->amount);
    else
        spin(pieces->amount);
}

struct created {
    struct pieces *pieces;
    int32_t cpu;
};

static void *live_once(void *argument)
{
    struct created *self = argument;
    spe_pin(self->cpu);
    spe_set_timer_slack(1);
    work_on(self->pieces, 0);
    return NULL;
}

/* What team_fork does, with threads that are made for it and joined at its end. */
static int32_t create_and_join(struct pieces *pieces, int32_t threads, const int32_t *cpus)
{
    struct created each[TEAM_MOST];
    pthread_t made[TEAM_MOST];
    pthread_attr_t attributes;
    int32_t status = SPE_OK, n = 1;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, TEAM_STACK_BYTES);
    for (; n < threads && status == SPE_OK; n++) {
        each[n] = (struct created){ pieces, cpus[n] };
        if (pthread_create(&made[n], &attributes, live_once, &each[n]) != 0)
            status = SPE_NO_THREADS;
    }
    if (status != SPE_OK)
        n--;
    work_on(pieces, 0);
    for (int32_t i = 1; i < n; i++)
        pthread_join(made[i], NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

struct fork {
    struct pieces before, pieces;
    int32_t threads;
    const int32_t *cpus;
    int32_t create;
};

static int32_t fork_once(struct team *team, void *task)
{
    struct fork *fork = task;
    work_on(&fork->before, 0);
    if (fork->create)
        return create_and_join(&fork->pieces, fork->threads, fork->cpus);
    team_fork(team, work_on, &fork->pieces);
    return SPE_OK;
}

/* Isolates: what several threads save, and what having them costs. A trial is a serial piece, then `threads` parallel
 * pieces at the same time, `amount` each (a piece of 0 is left out). elapsed_ns[trials]; records[trials · threads] tell the
 * gate (with threads that are created inside, of the caller alone, the others zero). One trial more is run first, to warm
 * up, and not recorded. */
int32_t fork_join(int32_t waiting, int32_t threads, const int32_t *cpus, int32_t create, int32_t blocking, uint64_t serial, uint64_t parallel, uint64_t trials,
                  int64_t *elapsed_ns, struct team_record *records, spe_cancel cancel)
{
    struct fork how = { { waiting, serial }, { waiting, parallel }, threads, cpus, create };
    struct trials trial = { .run = fork_once, .task = &how, .elapsed_ns = elapsed_ns, .records = records, .width = (uint64_t)threads };
    if (threads < 1 || threads > TEAM_MOST)
        return SPE_BAD_ARGUMENT;
    return team_trials(&trial, create ? 1 : threads, cpus, blocking, trials, cancel);
}

/* ---- A graph of tasks ------------------------------------------------------------------------------------------------ */

enum { SPE_MOST_TASKS = 1024, SPE_NAP_NS = 50000000 };

struct task_graph {          /* tasks in the order in which a worker prefers them; all arrays are the caller's */
    uint32_t tasks;          /* 1 … SPE_MOST_TASKS */
    const uint64_t *wait_ns; /* what each task does: it waits for so long */
    const uint32_t *before;  /* how many tasks each one waits for */
    const uint32_t *first;   /* tasks + 1: next[first[i] … first[i + 1]) are those that wait for task i */
    const uint32_t *next;
};

struct listing {
    const struct task_graph *graph;
    uint32_t left[SPE_MOST_TASKS];  /* tasks that each one still waits for; TAKEN once it has begun */
    uint32_t unfinished, ready, running;
    int64_t *began_ns, *ended_ns;
    int32_t *worker;
    spe_cancel cancel;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static const uint32_t TAKEN = UINT32_MAX;

/* Sleeps in naps, so that a cancel is noticed. */
static void wait_or_cancel(uint64_t ns, spe_cancel cancel)
{
    while (ns > 0 && !*cancel) {
        uint64_t nap = ns < SPE_NAP_NS ? ns : SPE_NAP_NS;
        wait_for(nap);
        ns -= nap;
    }
}

/* What every worker does until nothing is left: takes the first task that is ready, and tells who waits for it. A worker
 * without a task sleeps on the condition; since some other worker then has one, it is woken at the latest when that ends. */
static void work_through(void *task, int32_t member)
{
    struct listing *list = task;
    const struct task_graph *graph = list->graph;
    pthread_mutex_lock(&list->mutex);
    for (;;) {
        while (list->ready == 0 && list->running > 0 && !*list->cancel)
            pthread_cond_wait(&list->changed, &list->mutex);
        if (list->ready == 0 || *list->cancel)
            break;              /* nothing runs and nothing is ready: all is done, or the rest waits for itself */
        uint32_t i = 0;
        while (list->left[i] != 0)
            i++;
        list->left[i] = TAKEN;
        list->ready--;
        list->running++;
        pthread_mutex_unlock(&list->mutex);

        list->worker[i] = member;
        list->began_ns[i] = spe_clock();
        wait_or_cancel(graph->wait_ns[i], list->cancel);
        list->ended_ns[i] = spe_clock();

        pthread_mutex_lock(&list->mutex);
        list->running--;
        list->unfinished--;
        uint32_t released = 0;
        for (uint32_t k = graph->first[i]; k < graph->first[i + 1]; k++)
            released += --list->left[graph->next[k]] == 0;
        list->ready += released;
        for (uint32_t k = 1; k < released; k++)     /* one of them is this worker's own */
            pthread_cond_signal(&list->changed);
    }
    pthread_cond_broadcast(&list->changed);
    pthread_mutex_unlock(&list->mutex);
}

/* Isolates: the order in which tasks can be done. Runs the graph `trials` times with so many workers, each task a sleep,
 * which needs no core: sixteen workers fit on one. elapsed_ns[trials]; for each trial and task, in the graph's order, its
 * times since the trial's start and the worker that did it: [trials · tasks]. */
int32_t list_schedule(const struct task_graph *graph, int32_t workers, const int32_t *cpus, uint64_t trials, int64_t *elapsed_ns, int64_t *began_ns,
                      int64_t *ended_ns, int32_t *worker, spe_cancel cancel)
{
    struct team team;
    struct listing list = { .graph = graph, .cancel = cancel };
    const uint32_t n = graph->tasks;
    if (n < 1 || n > SPE_MOST_TASKS || workers < 1 || workers > TEAM_MOST)
        return SPE_BAD_ARGUMENT;
    int32_t status = team_open(&team, workers, cpus, 1);
    if (status != SPE_OK)
        return status;
    pthread_mutex_init(&list.mutex, NULL);
    pthread_cond_init(&list.changed, NULL);
    for (uint64_t trial = 0; trial < trials && status == SPE_OK; trial++) {
        list.unfinished = n;
        list.ready = list.running = 0;
        for (uint32_t i = 0; i < n; i++) {
            list.left[i] = graph->before[i];
            list.ready += list.left[i] == 0;
        }
        list.began_ns = &began_ns[trial * n];
        list.ended_ns = &ended_ns[trial * n];
        list.worker = &worker[trial * n];
        int64_t start = spe_clock();
        team_fork(&team, work_through, &list);
        elapsed_ns[trial] = spe_clock() - start;
        for (uint32_t i = 0; i < n; i++) {
            list.began_ns[i] -= start;
            list.ended_ns[i] -= start;
        }
        if (list.unfinished > 0)
            status = *cancel ? SPE_CANCELLED : SPE_BAD_ARGUMENT;
    }
    pthread_cond_destroy(&list.changed);
    pthread_mutex_destroy(&list.mutex);
    team_close(&team);
    return status;
}

/* ---- One dot product, three levels of parallelism ---------------------------------------------------------------------- */

enum { DOT_ONE_CHAIN = 0, DOT_CHAINS = 1, DOT_VECTOR = 2, DOT_VECTOR_CHAINS = 3, DOT_KINDS = 4, DOT_APART = 32, DOT_PARTS = 4096 };

/* Forces a float or a vector of them into a register here, so that the compiler cannot gather chains into a vector by itself. */
#if defined(__x86_64__)
#define OPAQUE_FLOAT(value) __asm__ volatile("" : "+x"(value))
#elif defined(__aarch64__)
#define OPAQUE_FLOAT(value) __asm__ volatile("" : "+w"(value))
#else
#define OPAQUE_FLOAT(value) (void)0
#endif

/* The reference. C adds floats in the order that is written, so each addition waits for the one before: a chain. */
float dot_one_chain(const float *x, const float *y, uint64_t n)
{
    float sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Instruction level: eight sums that do not wait for each other. Not the same order, so not always the same rounding. */
float dot_chains(const float *x, const float *y, uint64_t n)
{
    float a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    uint64_t i = 0;
    /* clang-format off */
    for (; i + 8 <= n; i += 8) {
        a += x[i] * y[i];         OPAQUE_FLOAT(a);
        b += x[i + 1] * y[i + 1]; OPAQUE_FLOAT(b);
        c += x[i + 2] * y[i + 2]; OPAQUE_FLOAT(c);
        d += x[i + 3] * y[i + 3]; OPAQUE_FLOAT(d);
        e += x[i + 4] * y[i + 4]; OPAQUE_FLOAT(e);
        f += x[i + 5] * y[i + 5]; OPAQUE_FLOAT(f);
        g += x[i + 6] * y[i + 6]; OPAQUE_FLOAT(g);
        h += x[i + 7] * y[i + 7]; OPAQUE_FLOAT(h);
    }
    /* clang-format on */
    return ((a + b) + (c + d)) + ((e + f) + (g + h)) + dot_one_chain(x + i, y + i, n - i);
}

/* Data level: one instruction adds four elements to four sums. One chain of vectors. */
float dot_vector(const float *x, const float *y, uint64_t n)
{
    typedef float vector __attribute__((vector_size(16)));
    vector sum = { 0 }, p, q;
    uint64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __builtin_memcpy(&p, x + i, sizeof p);  /* a load that need not be aligned */
        __builtin_memcpy(&q, y + i, sizeof q);
        sum += p * q;
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]) + dot_one_chain(x + i, y + i, n - i);
}

/* Both: eight chains of vectors. */
float dot_vector_chains(const float *x, const float *y, uint64_t n)
{
    typedef float vector __attribute__((vector_size(16)));
    vector a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 }, f = { 0 }, g = { 0 }, h = { 0 }, p, q;
    uint64_t i = 0;
#define ADD(sum, k) \
    __builtin_memcpy(&p, x + i + 4 * (k), sizeof p); \
    __builtin_memcpy(&q, y + i + 4 * (k), sizeof q); \
    sum += p * q
    for (; i + 32 <= n; i += 32) {
        /* clang-format off */
        ADD(a, 0); ADD(b, 1); ADD(c, 2); ADD(d, 3);
        ADD(e, 4); ADD(f, 5); ADD(g, 6); ADD(h, 7);
        /* clang-format on */
    }
#undef ADD
    a = ((a + b) + (c + d)) + ((e + f) + (g + h));
    return (a[0] + a[1]) + (a[2] + a[3]) + dot_vector(x + i, y + i, n - i);
}

typedef float (*dot_kind)(const float *x, const float *y, uint64_t n);
static const dot_kind DOT[DOT_KINDS] = { dot_one_chain, dot_chains, dot_vector, dot_vector_chains };

struct dot {
    dot_kind product;
    const float *x, *y;
    uint64_t n;
    int32_t threads;
    uint64_t laps;
    float sum, *sums;        /* of the last lap; of each trial */
    spe_cancel cancel;
    float part[DOT_PARTS];   /* TEAM_MOST · DOT_APART: each thread's sum on lines of its own */
};

/* Task level: each thread has a part of the elements, in whole vectors but for the last. */
static void dot_part(void *task, int32_t member)
{
    struct dot *dot = task;
    uint64_t share = (dot->n / (uint64_t)dot->threads) & ~(uint64_t)31, from = share * (uint64_t)member;
    uint64_t count = member + 1 == dot->threads ? dot->n - from : share;
    dot->part[member * DOT_APART] = dot->product(dot->x + from, dot->y + from, count);
}

/* A product that begins when the one before has ended: its address depends on that one's sum, by nothing that is zero.
 * Without this, the core runs the chains of several short products at the same time. */
static float dot_after(const struct dot *dot, float before)
{
    uint32_t bits;
    uint64_t zero = 0;
    __builtin_memcpy(&bits, &before, sizeof bits);
    SPE_OPAQUE(zero);
    return dot->product(dot->x + (bits & zero), dot->y, dot->n);
}

static float dot_together(struct team *team, struct dot *dot)
{
    float sum = 0;
    team_fork(team, dot_part, dot);
    for (int32_t i = 0; i < dot->threads; i++)
        sum += dot->part[i * DOT_APART];
    return sum;
}

static int32_t dot_laps(struct team *team, void *task)
{
    struct dot *dot = task;
    dot->sum = 0;
    for (uint64_t lap = 0; lap < dot->laps && !*dot->cancel; lap++)
        dot->sum = dot->threads == 1 ? dot_after(dot, dot->sum) : dot_together(team, dot);
    return *dot->cancel ? SPE_CANCELLED : SPE_OK;
}

static void keep_sum(void *task, uint64_t trial)
{
    const struct dot *dot = task;
    dot->sums[trial] = dot->sum;
}

/* Isolates: what each level of parallelism makes of one problem. A trial is `laps` dot products of x[n] and y[n] by one of
 * the kinds (DOT_…), with more than one thread a fork and a join for each. elapsed_ns[trials] of all laps, sums[trials] of
 * the last one, records[trials · threads] for the gate. A first trial warms up and is not recorded. */
int32_t dot_product(int32_t kind, int32_t threads, const int32_t *cpus, int32_t blocking, const float *x, const float *y, uint64_t n, uint64_t laps,
                    uint64_t trials, int64_t *elapsed_ns, float *sums, struct team_record *records, spe_cancel cancel)
{
    if (kind < 0 || kind >= DOT_KINDS || threads < 1 || threads > TEAM_MOST || laps < 1)
        return SPE_BAD_ARGUMENT;
    struct dot dot = { .product = DOT[kind], .x = x, .y = y, .n = n, .threads = threads, .laps = laps, .sums = sums, .cancel = cancel };
    struct trials how = { .run = dot_laps, .keep = keep_sum, .task = &dot, .elapsed_ns = elapsed_ns, .records = records };
    return team_trials(&how, threads, cpus, blocking, trials, cancel);
}

/* ---- Failures -------------------------------------------------------------------------------------------------------- */

struct fleet {
    uint64_t machines;       /* each fails and is repaired on its own */
    double failure_rate;     /* of one machine that is up, per year: 1 / MTTF */
    double repair_rate;      /* of one that is down, per year: 1 / MTTR */
    double years;            /* simulated in each lifetime */
    const double *missing;   /* machines + 1 of them: throughput that is missing while so many are up */
    uint64_t seed;
};

/* Simulates `lifetimes` of a fleet with exponential times to failure and to repair, from event to event: while k machines
 * are up, the next event comes after an exponential time of rate k · failure_rate + (machines − k) · repair_rate. Each
 * lifetime begins as a fleet that has run for long: every machine is up with probability MTTF / (MTTF + MTTR).
 *
 * Writes for each lifetime its failures, and the integrals over time of the machines that are up and of missing[·].
 * An event costs some 15 ns, most of it the logarithm. */
int32_t simulate_fleet(const struct fleet *with, uint64_t lifetimes, double *failures, double *up_years, double *missing_years, spe_cancel cancel)
{
    const double fail = with->failure_rate, repair = with->repair_rate;
    if (!(fail > 0 && fail < 1e9 && repair > 0 && repair < 1e9 && with->years > 0 && with->years < 1e9) || with->machines < 1 || with->missing == 0)
        return SPE_BAD_ARGUMENT;
    uint64_t random = with->seed, until_look = 1;
    for (uint64_t life = 0; life < lifetimes; life++) {
        uint64_t up = 0, failed = 0;
        for (uint64_t i = 0; i < with->machines; i++)
            up += spe_random_share(&random) <= repair / (fail + repair);
        double now = 0, up_time = 0, missing_time = 0;
        while (now < with->years) {
            if (--until_look == 0) {
                if (*cancel)
                    return SPE_CANCELLED;
                until_look = 100000;
            }
            const double failing = (double)up * fail, rate = failing + (double)(with->machines - up) * repair;
            const double next = now - log(spe_random_share(&random)) / rate;
            const double step = (next < with->years ? next : with->years) - now;
            up_time += (double)up * step;
            missing_time += with->missing[up] * step;
            now = next;
            if (now >= with->years)
                break;
            if (spe_random_share(&random) * rate <= failing) {
                up--;
                failed++;
            } else {
                up++;
            }
        }
        failures[life] = (double)failed;
        up_years[life] = up_time;
        missing_years[life] = missing_time;
    }
    return SPE_OK;
}
