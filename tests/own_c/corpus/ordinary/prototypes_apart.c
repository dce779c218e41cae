/* Declarations and definitions with other names, other places, or none. */
#include <stddef.h>

double weigh(const double *, size_t, double);
static double one(double);
int twice(int number), thrice(int);

double weigh(const double *values, size_t n, double by)
{
    double sum = 0;
    while (n--)
        sum += one(values[n]) * by;
    return sum;
}

static double one(double x) { return x * x - 1; }

int twice(int renamed) { return renamed * 2; }
int thrice(int x) { return x * 3; }

typedef int binary(int, int);
binary minus;
int minus(int a, int b) { return a - b; }

int unused_parameter(int a, int b)
{
    (void)b;
    return a;
}

int (bracketed)(int (x)) { return (x) - 1; }

static unsigned long hidden_result(void) { return 7; }

long call_static(void) { return (long)hidden_result(); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    double values[3] = {0.1, -2, 3};
    show_real(weigh(values, 3, 0.7));
    show_int(twice(-70000));
    show_int(thrice(-70000));
    show_int(minus(-5, 2000000000));
    show_int(unused_parameter(-300, 1));
    show_int((bracketed)(0));
    show_int(call_static());
}
#endif
