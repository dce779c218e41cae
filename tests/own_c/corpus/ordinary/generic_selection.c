#include <math.h>
#include <stdint.h>

static int abs_int(int x) { return x < 0 ? -x : x; }
static int64_t abs_long(int64_t x) { return x < 0 ? -x : x; }

#define ABS(x) _Generic((x), float: fabsf, double: fabs, int: abs_int, int64_t: abs_long)(x)
#define KIND(x) _Generic((x), char: 'c', short: 's', int: 'i', long: 'l', float: 'f', double: 'd', default: '?')

float abs_of_float(float x) { return ABS(x); }
double abs_of_double(double x) { return ABS(x); }
int64_t abs_of_long(int64_t x) { return ABS(x); }
char kind_of_sum(char a, short b) { return KIND(a + b); }
char kind_of_mix(int n, float x) { return KIND(n * x); }
char kind_of_pointer(const int *p) { return KIND(p); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(abs_of_float(-0.1f));
    show_real(abs_of_double(-0.1));
    show_int(abs_of_long(-(1LL << 40)));
    show_char(kind_of_sum('a', 1));
    show_char(kind_of_mix(1, 2));
    show_char(kind_of_pointer(NULL));
}
#endif
