/* Functions that take functions: what C calls itself works, what Python would have to give does not. */
#include <math.h>
#include <stdlib.h>

typedef double (*function_t)(double);

double integrate(double (*f)(double), double a, double b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += f(a + (b - a) * (i + 0.5) / n);
    return sum * (b - a) / n;
}

double newton(function_t f, double x)
{
    return f ? x - f(x) : -x;
}

void sort_with(int *a, size_t n, int compare(const void *, const void *))
{
    qsort(a, n, sizeof *a, compare);
}

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

void sort_down(int *a, size_t n) { sort_with(a, n, descending); }

static double square(double x) { return x * x; }
static double cube(double x) { return x * x * x; }
static const function_t table[] = {square, cube, sqrt};

double apply(int which, double x) { return table[which](x); }

double area(int which) { return integrate(table[which], -1, 3, 4); }

function_t choose(int which) { return table[which]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int a[5] = {3, -70000, 12, 0, 500};
    sort_down(a, 5);
    show_all(show_int, int, a);
    show_real(apply(1, -0.1));
    show_real(apply(2, 2));
    show_real(area(0));
    show_real(newton(NULL, 0.7));
}
#endif
