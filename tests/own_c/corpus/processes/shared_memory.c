#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static long private_count;

/* Children count in memory that they share, and in memory that they do not. */
long count(int children, int times)
{
    atomic_long *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return -1;
    for (int child = 0; child < children; child++)
        if (fork() == 0) {
            for (int i = 0; i < times; i++) {
                atomic_fetch_add(shared, 1);
                private_count++;
            }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    long counted = *shared * 1000 + private_count;
    munmap(shared, sizeof *shared);
    return counted;
}

/* How a child ended that was killed. */
int killed(int by)
{
    int status;
    pid_t pid = fork();
    if (pid < 0)
        return -1000; /* kill(-1, …) would reach every process of this user */
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, by);
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : 0;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(count(3, 500));
    show_int(killed(SIGKILL));
    show_int(killed(SIGTERM));
}
#endif
