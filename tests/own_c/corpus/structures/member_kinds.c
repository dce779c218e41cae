/* Members of every kind of number. */
#include <complex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum level { LOW = -3, HIGH = 7 };

struct all {
    bool yes;
    enum level level;
    signed char small;
    unsigned long long large;
    const int fixed;
    volatile short changing;
    atomic_int counter;
    float complex z;
    long double precise;
    ptrdiff_t difference;
    bool flags[3];
    enum level levels[2];
    double complex path[2];
    unsigned long long masks[2];
};

int64_t update(struct all *a)
{
    a->yes = !a->yes;
    a->level = a->level == LOW ? HIGH : LOW;
    a->small--;
    a->large = ~a->large;
    a->changing = (short)(a->changing + a->fixed);
    atomic_fetch_add(&a->counter, 5);
    a->z = a->z * I;
    a->precise /= 3;
    a->difference *= -1;
    a->flags[1] = true;
    a->levels[1] = LOW;
    a->path[0] = conj(a->path[1]);
    a->masks[0] |= 1ull << 63;
    return a->difference + a->counter;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct all a = {true,   HIGH,           -128 + 1,    5,            -7,
                    30000,  -2,             0.1f - 2 * I, -1,          1LL << 40,
                    {true}, {HIGH, HIGH}, {1, 2 - 0.1 * I}, {1, UINT64_MAX}};
    show_int(update(&a));
    show_bool(a.yes);
    show_int(a.level);
    show_int(a.small);
    show_uint(a.large);
    show_int(a.fixed);
    show_int(a.changing);
    show_int(a.counter);
    show_complex(a.z);
    show_long_double(a.precise);
    show_int(a.difference);
    show_all(show_bool, bool, a.flags);
    show_all(show_int, enum level, a.levels);
    show_all(show_complex, double complex, a.path);
    show_all(show_uint, unsigned long long, a.masks);
}
#endif
