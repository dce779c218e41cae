#ifdef USE_DOUBLE
typedef double real;
#else
typedef float real;
#endif

real mean(const real *x, int n)
{
    real sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum / n;
}

void axpy(int n, real a, const real x[], real y[])
{
    for (int i = 0; i < n; i++)
        y[i] += a * x[i];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    real x[] = {1.1, -2.7, 4.3}, y[] = {10, -20, 1e-3};
    show_real(mean(x, 3));
    axpy(3, 0.1, x, y);
    show_all(show_real, real, y);
}
#endif
