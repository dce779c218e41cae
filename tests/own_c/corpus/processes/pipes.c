#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child computes, the parent reads its answer. */
int64_t ask(int32_t n)
{
    int ends[2];
    int64_t answer = 0;
    if (pipe(ends) != 0)
        return -1;
    if (fork() == 0) {
        for (int64_t i = 1; i <= n; i++)
            answer += i * i;
        _exit(write(ends[1], &answer, sizeof answer) != sizeof answer);
    }
    close(ends[1]);
    if (read(ends[0], &answer, sizeof answer) != sizeof answer)
        answer = -2;
    close(ends[0]);
    wait(NULL);
    return answer;
}

/* Several children, told apart by their exit status. */
int sum_of_children(int count)
{
    int sum = 0, status;
    for (int i = 1; i <= count; i++)
        if (fork() == 0)
            _exit(10 * i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    return sum;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(ask(3000));
    show_int(sum_of_children(4));
}
#endif
