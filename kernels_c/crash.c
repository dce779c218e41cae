/* crash.c: what a process says of its own crash, for the worker that runs a reader's C.
 *
 * After a crash the signal's number is all that the parent process can see. A handler in the process itself also knows the
 * address that was touched and the calls that led there; from those come "x[100], and x has 100 elements" and the line.
 */
#include "spe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAS_BACKTRACE
#endif
#endif

enum { CRASH_FRAMES = 24 };

/* The low end of the alternate stack, which grows towards it and never gets there: so the handler needs no global. */
struct crash_stack {
    int64_t report;         /* file descriptor */
    int64_t process;        /* that reports; not those that it forks */
};

/* The first part of a report; the addresses of the calls follow, innermost first, up to CRASH_FRAMES of them. */
struct crash_report {
    int64_t signal;
    int64_t code;           /* siginfo's: 128 where the processor does not tell the address */
    uint64_t address;
};

static void on_crash(int signal, siginfo_t *info, void *context)
{
    stack_t here;
    (void)context;
    if (sigaltstack(NULL, &here) != 0 || (here.ss_flags & SS_DISABLE))
        return;             /* another thread's crash: it has no such stack */
    const struct crash_stack *stack = here.ss_sp;
    if (stack->process != getpid())
        return;
    struct crash_report said = { signal, info->si_code, (uint64_t)(uintptr_t)info->si_addr };
    /* Written before the stack is walked, since a damaged stack may end the process on the way. */
    if (write((int)stack->report, &said, sizeof said) != (ssize_t)sizeof said)
        return;
#ifdef HAS_BACKTRACE
    void *frames[CRASH_FRAMES];
    int n = backtrace(frames, CRASH_FRAMES);
    if (n > 0 && write((int)stack->report, frames, (size_t)n * sizeof *frames) < 0)
        return;
#endif
    /* SA_RESETHAND: the instruction runs again, and this time the signal ends the process. */
}

/* From now on, a crash of the calling thread is reported to the file descriptor `report` before it ends the process.
 * `stack` are `bytes` of memory to run on when the thread's own stack is exhausted. */
int64_t crash_watch(char *stack, uint64_t bytes, int64_t report)
{
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
    stack_t alternate;
    struct sigaction action;

    if (bytes < (uint64_t)MINSIGSTKSZ + sizeof(struct crash_stack))
        return SPE_BAD_ARGUMENT;
    *(struct crash_stack *)(void *)stack = (struct crash_stack){ report, getpid() };
    memset(&alternate, 0, sizeof alternate);
    alternate.ss_sp = stack;
    alternate.ss_size = bytes;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    if (sigaltstack(&alternate, NULL) != 0)
        return SPE_BAD_ARGUMENT;
    for (uint64_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        if (sigaction(deadly[i], &action, NULL) != 0)
            return SPE_BAD_ARGUMENT;
#ifdef HAS_BACKTRACE
    void *frame;
    backtrace(&frame, 1);   /* its first call loads a library, which a handler must not */
#endif
    return SPE_OK;
}

/* From now on a line that the process prints is written when it ends, so that a crash does not swallow it. */
int64_t crash_line_buffered(void) { return setvbuf(stdout, NULL, _IOLBF, 0) == 0 ? SPE_OK : SPE_BAD_ARGUMENT; }
