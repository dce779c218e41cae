/* The words of integer types in any order, and typedefs of the system. */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

unsigned invert(unsigned x) { return ~x; }
long unsigned int shift(long unsigned int x, short unsigned by) { return x << by; }
long long int negate(long long signed x) { return -x; }
short middle(signed short int a, short b) { return (short)((a + b) / 2); }
unsigned long long all(void) { return ULLONG_MAX; }
long int least(void) { return LONG_MIN; }
size_t rounded(size_t n, size_t to) { return (n + to - 1) / to * to; }
ptrdiff_t distance(const int *from, ptrdiff_t n) { return &from[0] - &from[n]; }
ssize_t or_minus_one(size_t n) { return n ? (ssize_t)n : -1; }
off_t seek(off_t at, off_t by) { return at + by; }
time_t tomorrow(time_t now) { return now + 24 * 60 * 60; }
intptr_t as_integer(const void *p) { return (intptr_t)p; }
uint_fast16_t fast(uint_least8_t x, int_fast8_t y) { return x + 1000u * (unsigned)(y + 200); }
intmax_t widest(intmax_t x) { return x - 1; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int room[5] = {0};
    show_uint(invert(0));
    show_uint(shift(3, 62));
    show_int(negate(-(1LL << 62)));
    show_int(middle(-32768, 32767));
    show_uint(all());
    show_int(least());
    show_uint(rounded((1ul << 33) + 1, 4096));
    show_int(distance(room, 5));
    show_int(or_minus_one(0));
    show_int(or_minus_one(1ul << 40));
    show_int(seek(1LL << 40, -1));
    show_int(tomorrow(4102444800));
    show_int(as_integer(NULL));
    show_uint(fast(255, -128));
    show_int(widest(INTMAX_MIN + 1));
}
#endif
