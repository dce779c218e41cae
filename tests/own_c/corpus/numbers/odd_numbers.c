/* Number types that Python's numpy has no equal of, each beside a function that can be called. */
typedef _Complex int gauss;

double plain(double x) { return x * 2; }

gauss square(gauss z) { return z * z; }

long double _Complex turn(long double _Complex z) { return z * 1i; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(plain(0.35));
}
#endif
