#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int goes_on(void)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    return (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 1000000;
}

double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int waits(void)
{
    usleep(1);
    struct timeval now;
    return gettimeofday(&now, NULL) == 0 && now.tv_sec > 1000000000 && sysconf(_SC_PAGESIZE) >= 4096;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(goes_on());
    show_real(seconds((struct timeval){-5, 250000}));
    show_int(waits());
}
#endif
