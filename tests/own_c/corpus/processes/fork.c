#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int calls;

/* As every course on operating systems begins. */
int hello(void)
{
    calls++;
    pid_t pid = fork();
    if (pid == 0) {
        printf("child\n");
        calls += 100;
    } else {
        wait(NULL);
        printf("parent\n");
    }
    return 0;
}

int leave(int status)
{
    int said;
    pid_t pid = fork();
    if (pid == 0)
        exit(status);
    waitpid(pid, &said, 0);
    return WIFEXITED(said) ? WEXITSTATUS(said) : -1;
}

int counted(void) { return calls; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    pid_t me = getpid();
    int said = hello();
    fflush(stdout);
    if (getpid() != me)
        _exit(said);
    show_int(said);
    show_int(leave(7));
    show_int(leave(300));
    show_int(counted());
}
#endif
