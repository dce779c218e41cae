/* Functions that -std=c11 hides: POSIX and BSD. */
#include <stdlib.h>
#include <string.h>

double first(long seed)
{
    srand48(seed);
    return drand48();
}

long third(long seed)
{
    srandom((unsigned)seed);
    random();
    random();
    return random();
}

double estimate_pi(int n)
{
    int inside = 0;
    srand48(42);
    for (int i = 0; i < n; i++) {
        double x = drand48(), y = drand48();
        inside += x * x + y * y < 1;
    }
    return 4.0 * inside / n;
}

int next_of(unsigned seed) { return rand_r(&seed) == rand_r(&seed); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(first(2026));
    show_int(third(7));
    show_real(estimate_pi(10000));
    show_int(next_of(1));
}
#endif
