/* gate.h: the clock, and what tells a clean trial from a disturbed one. Each function is one switch between systems. */
#ifndef SPE_GATE_H
#define SPE_GATE_H

#include "spe.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#if defined(__APPLE__)
#define SPE_CLOCK CLOCK_MONOTONIC_RAW   /* macOS rounds CLOCK_MONOTONIC to microseconds */
#else
#define SPE_CLOCK CLOCK_MONOTONIC
#endif

#if defined(RUSAGE_THREAD)
#define SPE_RUSAGE RUSAGE_THREAD
#else
#define SPE_RUSAGE RUSAGE_SELF          /* macOS: other threads' switches count too, so the gate is stricter */
#endif

/* Nanoseconds since an arbitrary moment. */
static inline int64_t spe_clock(void)
{
    struct timespec t;
    clock_gettime(SPE_CLOCK, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Times that this thread was taken off its CPU although it had work. */
static inline int64_t spe_preemptions(void)
{
    struct rusage use;
    getrusage(SPE_RUSAGE, &use);
    return use.ru_nivcsw;
}

/* A file that tells how long this thread was ready and had no CPU: a woken thread that queues behind another one is late
 * without being preempted. -1 where the system has none. The caller closes it. */
static inline int spe_open_run_delay(void)
{
#if defined(__linux__)
    return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
#else
    return -1;
#endif
}

/* That time in nanoseconds; 0 where the system does not tell. */
static inline int64_t spe_run_delay(int file)
{
    char text[96], *second;
    ssize_t n = file < 0 ? -1 : pread(file, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    strtoll(text, &second, 10);             /* the first number is time on a CPU */
    return strtoll(second, NULL, 10);
}

/* Keeps this thread on one CPU, where the system lets a thread be kept. */
static inline void spe_pin(int32_t cpu)
{
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0 && cpu < CPU_SETSIZE) {
        CPU_SET(cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    }
#else
    (void)cpu;
#endif
}

/* How late this thread's sleeps may end for the sake of fewer wake-ups, in ns; returns what it was. Linux: 50 µs unless asked. */
static inline int64_t spe_set_timer_slack(int64_t slack_ns)
{
#if defined(__linux__)
    int64_t before = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns);
    return before;
#else
    return slack_ns;
#endif
}

/* For loops that wait for another core: the two of a hyper-threaded pair share one, and the line is asked for less often. */
static inline void spe_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
