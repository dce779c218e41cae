/* Every width of <stdint.h>, as a value and in an array. */
#include <stdint.h>

#define SIGNED(X) X(int8_t) X(int16_t) X(int32_t) X(int64_t)
#define UNSIGNED(X) X(uint8_t) X(uint16_t) X(uint32_t) X(uint64_t)

#define NEXT(type)                                                                                                     \
    type next_##type(type x) { return x + 1; }                                                                         \
    void halve_##type(type *x, int n)                                                                                  \
    {                                                                                                                  \
        for (int i = 0; i < n; i++)                                                                                    \
            x[i] = x[i] / 2 - (type)i;                                                                                 \
    }
SIGNED(NEXT)
UNSIGNED(NEXT)

int64_t mix(int8_t a, uint16_t b, int32_t c, uint8_t d, int64_t e, int16_t f, uint32_t g, uint8_t h, int8_t i)
{
    return a + 3 * (b + 3 * (c + 3 * (d + 3 * (e + 3 * (f + 3 * ((int64_t)g + 3 * (h + 3 * i)))))));
}

#ifdef MAIN
#include "show.h"
#define SHOW(show_one, type)                                                                                           \
    show_one(next_##type((type)-7));                                                                                   \
    {                                                                                                                  \
        type x[] = {(type)-5, 100, 0};                                                                                 \
        halve_##type(x, 3);                                                                                            \
        show_all(show_one, type, x);                                                                                   \
    }
#define SHOW_SIGNED(type) SHOW(show_int, type)
#define SHOW_UNSIGNED(type) SHOW(show_uint, type)
int main(void)
{
    SIGNED(SHOW_SIGNED)
    UNSIGNED(SHOW_UNSIGNED)
    show_uint(next_uint64_t(UINT64_MAX - 1));
    show_int(next_int8_t(INT8_MIN));
    show_int(mix(-1, 65535, -70000, 255, 1LL << 40, -300, 4000000000, 7, -128));
}
#endif
