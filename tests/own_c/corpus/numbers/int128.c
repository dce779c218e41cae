#include <stdint.h>

typedef unsigned __int128 u128;
typedef __int128 i128;

u128 multiply(uint64_t a, uint64_t b) { return (u128)a * b; }

i128 negate(i128 x) { return -x; }

uint64_t high(u128 x) { return x >> 64; }

uint64_t power_mod(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    u128 result = 1, square = base % modulus;
    for (; exponent; exponent >>= 1, square = square * square % modulus)
        if (exponent & 1)
            result = result * square % modulus;
    return (uint64_t)result;
}

/* On the stack, behind other arguments. */
i128 mixed(int a, i128 b, double c, int d, i128 e, int64_t f, i128 g) { return a + 2 * b + (i128)c + d + 3 * e - f + 5 * g; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_uint128(multiply(UINT64_MAX, UINT64_MAX - 2));
    show_int128(negate((i128)1 << 100));
    show_uint(high(multiply(0xfedcba9876543210, 0x123456789abcdef)));
    show_uint(power_mod(3, 1000000006, 18446744073709551557u));
    show_int128(mixed(-1, -((i128)1 << 90), 2.5, 7, ((i128)1 << 66) + 3, -(1LL << 40), 11));
}
#endif
