/* Storage classes, qualifiers and attributes of functions. */
#include <stdint.h>

static inline int helper(int x) { return x * 3; }
extern inline long twice(long x);
inline long twice(long x) { return 2 * x; }
__attribute__((noinline)) int square(const int x) { return x * x; }
__attribute__((hot, flatten)) double half(volatile double x) { return x / 2; }
__attribute__((weak)) int weak(int x) { return x - helper(1); }
extern int other_name(int x) __attribute__((alias("square")));
static _Thread_local int mine = 5;
__thread long long also_mine = -1;
extern const int limit;
const int limit = 1 << 20;

long registers(register const long r, register int s) { return r - s * limit; }

long long in_thread(void)
{
    also_mine *= 2;
    return mine++ + also_mine;
}

static int first_value;
static __attribute__((constructor)) void at_start(void) { first_value = -12; }

int started(void) { return first_value--; }

void add(int n, double *restrict to, const double *const restrict from, const volatile double by)
{
    for (int i = 0; i < n; i++)
        to[i] += from[i] * by;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double to[2] = {1, -2}, from[2] = {0.1, 1e10};
    show_int(twice(-(1L << 40)));
    show_int(square(-300));
    show_real(half(0.7));
    show_int(weak(5));
    show_int(registers(1L << 40, -3));
    show_int(in_thread());
    show_int(in_thread());
    show_int(started());
    show_int(started());
    add(2, to, from, 3);
    show_all(show_real, double, to);
}
#endif
