/* guard.c: starts one companion program with limits, ends it, and removes what it leaves.
 *
 *     guard CHANNEL FOLDER CPU_S MEMORY_BYTES FILE_BYTES PROCESSES PROGRAM [ARGUMENT …]
 *
 * Python cannot clear up after its own kill -9, and a program cannot after its own crash; a third process can. The guard
 * sleeps until the program has ended, or Python closes the lifeline (standard input here), or Python is killed, which closes
 * it too. A process that Python forked may still hold the lifeline: on Linux the guard is told of Python's death as well.
 * Then the program's process group gets SIGTERM, and SIGKILL after GRACE_MS; on Linux, so does what has left the group.
 * Should the guard itself be killed, Linux kills the program, and elsewhere the program finds its channel closed.
 *
 * Ends as the program did: with the same status, or by the same signal.
 */
#include "companion.h"
#include "gate.h"

#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#if defined(__linux__)
#include <sys/sysinfo.h>
#endif

enum { GRACE_MS = 100, NOT_STARTED = 126, TREE_DESCRIPTORS = 16 };
enum { CHANNEL = 1, FOLDER, CPU_S, MEMORY_BYTES, FILE_BYTES, PROCESSES, PROGRAM };  /* arguments */

static const int IGNORED[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE };
static const int HEARD[] = { SIGCHLD, SIGUSR1 };
static int wakes[2];        /* a pipe: a signal between a look at the program and poll() is not lost */

static void on_signal(int number)
{
    int before = errno;
    if (write(wakes[1], &number, 1) < 0)    /* full: the guard will wake anyway */
        errno = before;
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit bound;
    if (getrlimit(resource, &bound) != 0)
        return;
    bound.rlim_max = hard < bound.rlim_max ? hard : bound.rlim_max;
    bound.rlim_cur = soft < bound.rlim_max ? soft : bound.rlim_max;
    setrlimit(resource, &bound);
}

static void set_limits(char **arguments)
{
    rlim_t values[PROGRAM];
    for (int i = CPU_S; i < PROGRAM; i++)
        values[i] = strtoull(arguments[i], NULL, 10);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_CPU, values[CPU_S], values[CPU_S] + 1);    /* SIGXCPU says why; a second later it is SIGKILL */
    limit(RLIMIT_AS, values[MEMORY_BYTES], values[MEMORY_BYTES]);
    limit(RLIMIT_FSIZE, values[FILE_BYTES], values[FILE_BYTES]);
#if defined(__linux__)
    /* The system counts all threads of a user: the limit lies above what there is now. Root has none. */
    struct sysinfo now;
    if (sysinfo(&now) == 0)
        limit(RLIMIT_NPROC, values[PROCESSES] + now.procs, values[PROCESSES] + now.procs);
#endif
}

/* In the new process: becomes the program. */
static void become(char **arguments, pid_t guard)
{
    int channel = atoi(arguments[CHANNEL]), nothing = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++)
        signal(IGNORED[i], SIG_DFL);
    for (size_t i = 0; i < sizeof HEARD / sizeof *HEARD; i++)
        signal(HEARD[i], SIG_DFL);
    if (getppid() != guard)
        _exit(NOT_STARTED);
    close(wakes[0]);
    close(wakes[1]);
    if (dup2(nothing, STDIN_FILENO) < 0 || dup2(channel, COMPANION_CHANNEL) < 0 || chdir(arguments[FOLDER]) != 0)
        _exit(NOT_STARTED);
    for (int other = COMPANION_CHANNEL + 1; other <= channel || other <= nothing; other++)
        close(other);
    set_limits(arguments);
    execv(arguments[PROGRAM], &arguments[PROGRAM]);
    dprintf(STDERR_FILENO, "%s: %s\n", arguments[PROGRAM], strerror(errno));
    _exit(NOT_STARTED);
}

/* Whether the program has ended. It stays a zombie, so that its number and that of its group are not given away. */
static int has_ended(pid_t program)
{
    siginfo_t told;
    told.si_pid = 0;
    return waitid(P_PID, (id_t)program, &told, WEXITED | WNOHANG | WNOWAIT) != 0 || told.si_pid != 0;
}

/* Sleeps until a signal comes, `ms` have passed (-1: for ever), or the lifeline is closed. False in the last case. */
static int sleep_on(int lifeline, int ms)
{
    char drained[64];
    struct pollfd on[] = { { wakes[0], POLLIN, 0 }, { lifeline, POLLIN, 0 } };
    poll(on, 2, ms);
    while (read(wakes[0], drained, sizeof drained) > 0)
        continue;
    return on[1].revents == 0;
}

/* Kills and reaps what the program has left. On Linux the guard inherits it, even where it has left the group. */
static void end_descendants(pid_t program)
{
    kill(-program, SIGKILL);
    waitpid(program, NULL, 0);
#if defined(__linux__)
    for (long child = 1; child > 0;) {
        FILE *children = fopen("/proc/thread-self/children", "r");
        if (children == NULL || fscanf(children, "%ld", &child) != 1)
            child = 0;
        if (children != NULL)
            fclose(children);
        if (child > 0) {
            kill((pid_t)child, SIGKILL);
            waitpid((pid_t)child, NULL, 0);
        }
    }
#endif
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path) != 0 && errno != ENOENT;
}

/* Ends by the same signal, or with the same status. */
static int end_like(const siginfo_t *program)
{
    if (program->si_code == CLD_EXITED)
        return program->si_status;
    limit(RLIMIT_CORE, 0, 0);
    signal(program->si_status, SIG_DFL);
    raise(program->si_status);
    return NOT_STARTED;
}

int main(int count, char **arguments)
{
    const pid_t guard = getpid(), python = getppid();
    siginfo_t ended;
    if (count <= PROGRAM)
        return NOT_STARTED;
    for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++)
        signal(IGNORED[i], SIG_IGN);
    if (mkdir(arguments[FOLDER], S_IRWXU) != 0 || pipe(wakes) != 0) {
        dprintf(STDERR_FILENO, "%s: %s\n", arguments[FOLDER], strerror(errno));
        return NOT_STARTED;
    }
    fcntl(wakes[0], F_SETFL, O_NONBLOCK);
    fcntl(wakes[1], F_SETFL, O_NONBLOCK);
    for (size_t i = 0; i < sizeof HEARD / sizeof *HEARD; i++)
        signal(HEARD[i], on_signal);
#if defined(__linux__)
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);   /* also when the thread that started the guard ends: hence the look at getppid() */
#endif
    pid_t program = fork();
    if (program == 0)
        become(arguments, guard);
    if (program > 0) {
        setpgid(program, program);      /* here and there: whoever comes first */
        close(atoi(arguments[CHANNEL]));
        while (!has_ended(program) && getppid() == python && sleep_on(STDIN_FILENO, -1))
            continue;
        if (!has_ended(program))
            kill(-program, SIGTERM);
        for (int64_t now = spe_clock(), until = now + GRACE_MS * 1000000; now < until && !has_ended(program); now = spe_clock())
            sleep_on(-1, (int)((until - now) / 1000000) + 1);
        if (!has_ended(program))
            kill(program, SIGKILL);
        waitid(P_PID, (id_t)program, &ended, WEXITED | WNOWAIT);
        end_descendants(program);
    }
    nftw(arguments[FOLDER], remove_entry, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    return program > 0 ? end_like(&ended) : NOT_STARTED;
}
