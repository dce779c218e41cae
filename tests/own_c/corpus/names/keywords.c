/* Parameters whose names are Python's keywords. */
#include <stddef.h>

void copy(const double *from, double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
}

double decay(double lambda, double in, int is)
{
    while (is--)
        in *= lambda;
    return in;
}

int count(int pass, int def, long None, int import) { return pass + 10 * def + 100 * import + (int)(None >> 32); }

struct keyed {
    int from;
    short class;
    double in;
};

double member(struct keyed with, const struct keyed *yield) { return with.from - with.class + with.in * yield->in; }

int and(int or, int not) { return or && !not; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    double from[3] = {0.1, -2, 1e10}, to[3];
    copy(from, to, 3);
    show_all(show_real, double, to);
    show_real(decay(0.9, -7, 3));
    show_real(decay(0.9, -7, 3));
    show_int(count(1, -2, 5L << 32, 4));
    show_real(member((struct keyed){-70000, 3, 0.1}, &(struct keyed){1, 2, 7}));
    show_int(and(1, 0));
}
#endif
