/* Structures of the system's own headers. */
#include <stdlib.h>
#include <time.h>

div_t divide(int a, int b) { return div(a, b); }

lldiv_t divide_long(long long a, long long b) { return lldiv(a, b); }

double seconds(struct timespec t) { return (double)t.tv_sec + (double)t.tv_nsec / 1e9; }

void later(struct timespec *t, long by_ns)
{
    t->tv_nsec += by_ns;
    t->tv_sec += t->tv_nsec / 1000000000;
    t->tv_nsec %= 1000000000;
}

int day_of_year(struct tm *date)
{
    time_t seconds = timegm(date);
    return gmtime(&seconds)->tm_yday;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    div_t d = divide(-17, 5);
    lldiv_t ll = divide_long(1LL << 50, -1000);
    struct timespec t = {1LL << 33, 999999999};
    struct tm date = {.tm_year = 124, .tm_mon = 1, .tm_mday = 31};
    show_int(d.quot);
    show_int(d.rem);
    show_int(ll.quot);
    show_int(ll.rem);
    show_real(seconds(t));
    later(&t, 2000000002);
    show_int(t.tv_sec);
    show_int(t.tv_nsec);
    show_int(day_of_year(&date));
    show_int(date.tm_mon);
    show_int(date.tm_mday);
}
#endif
