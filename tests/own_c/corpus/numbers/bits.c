/* Bit tricks. */
#include <stdint.h>
#include <string.h>

int popcount(uint64_t x)
{
    int count = 0;
    for (; x; x &= x - 1)
        count++;
    return count;
}

uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

double from_bits(uint64_t bits)
{
    union {
        uint64_t u;
        double d;
    } both = {.u = bits};
    return both.d;
}

uint16_t swap16(uint16_t x) { return (uint16_t)(x << 8 | x >> 8); }

int32_t sign_extend(uint8_t x) { return (int8_t)x; }

float fast_inverse_sqrt(float x)
{
    union {
        float f;
        uint32_t i;
    } c = {x};
    c.i = 0x5f3759df - (c.i >> 1);
    return c.f * (1.5f - 0.5f * x * c.f * c.f);
}

unsigned collatz(unsigned n)
{
    unsigned steps = 0;
    while (n != 1) {
        n = n & 1 ? 3 * n + 1 : n >> 1;
        steps++;
    }
    return steps;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(popcount(0xf00000000000000f));
    show_uint(bits_of(-0.1f));
    show_real(from_bits(0x7ff0000000000000));
    show_real(from_bits(0x8000000000000001));
    show_uint(swap16(0xff01));
    show_int(sign_extend(0x90));
    show_real(fast_inverse_sqrt(0.15625f));
    show_uint(collatz(27));
}
#endif
