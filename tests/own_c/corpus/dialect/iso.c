/* Strict ISO C by the reader's own flags. */
#include <math.h>
#include <stdint.h>

static const double pi = 3.14159265358979323846;

double area(double r) { return pi * r * r; }

int32_t wrap(int32_t a, int32_t b) { return (int32_t)((uint32_t)a * (uint32_t)b); }

#ifdef M_PI
#error "M_PI is not of ISO C"
#endif

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(area(-0.7));
    show_int(wrap(123456789, 987654321));
    return 0;
}
#endif
