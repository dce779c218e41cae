/* Statement expressions, typeof, ?: without a middle, case ranges, binary numbers. */
#include <stdint.h>

#define MAX(a, b)                                                                                                      \
    ({                                                                                                                 \
        typeof(a) a_ = (a);                                                                                            \
        __typeof__(b) b_ = (b);                                                                                        \
        a_ > b_ ? a_ : b_;                                                                                             \
    })
#define SWAP(a, b)                                                                                                     \
    do {                                                                                                               \
        __auto_type t_ = a;                                                                                            \
        a = b;                                                                                                         \
        b = t_;                                                                                                        \
    } while (0)

typeof(int64_t) larger(int64_t a, typeof(short) b) { return MAX(a, b); }

double largest(const double *x, int n)
{
    double best = x[0];
    for (int i = 1; i < n; i++)
        best = MAX(best, x[i]);
    return best;
}

int or_else(int x, int otherwise) { return x ?: otherwise; }

char kind(char c)
{
    switch (c) {
    case '0' ... '9':
        return 'd';
    case 'a' ... 'z':
    case 'A' ... 'Z':
        return 'l';
    default:
        return '?';
    }
}

uint16_t mask(void) { return 0b1010000011110001; }

void order(float *a, float *b)
{
    if (*a > *b)
        SWAP(*a, *b);
}

int trailing(unsigned long long x) { return __builtin_ctzll(x) * 100 + __builtin_popcountll(x); }

int overflows(int a, int b)
{
    int sum;
    return __builtin_add_overflow(a, b, &sum);
}

static void add_one(int *p) { ++*p; }

int cleaned(int *count)
{
    __attribute__((cleanup(add_one))) int local = *count;
    *count = 10 * local;
    return local;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double x[3] = {-2, 1e10, 0.1};
    float a = 0.5f, b = -7;
    int count = -300;
    show_int(larger(-(1LL << 40), -5));
    show_real(largest(x, 3));
    show_int(or_else(0, -3));
    show_int(or_else(70000, -3));
    show_char(kind('Q'));
    show_char(kind('7'));
    show_char(kind('!'));
    show_uint(mask());
    order(&a, &b);
    show_real(a);
    show_real(b);
    show_int(trailing(0xff00000000000000));
    show_int(overflows(2000000000, 2000000000));
    show_int(cleaned(&count));
    show_int(count);
}
#endif
