/* gate.h: the clock, and the counters that tell a clean trial from a disturbed one. Each function hides one system difference. */
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

/* Preemptions of this thread: its involuntary context switches. */
static inline int64_t spe_preemptions(void)
{
    struct rusage use;
    getrusage(SPE_RUSAGE, &use);
    return use.ru_nivcsw;
}

/* Opens the file with this thread's run-queue delay: a woken thread that queues behind another one is late without being
 * preempted. Returns -1 where the system has none. The caller closes it. */
static inline int spe_open_run_delay(void)
{
#if defined(__linux__)
    return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
#else
    return -1;
#endif
}

/* Returns the run-queue delay in nanoseconds; 0 where the system does not report it. */
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

/* Pins this thread to one CPU, where the system can. */
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

/* Sets the timer slack of this thread, by which its sleeps may end late, in ns; returns the former one (Linux: 50 µs). */
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

/* For loops that wait for another core: leaves a shared core to its other hyper-thread, and asks for the line less often. */
static inline void spe_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
