#include <assert.h>
#include <stdint.h>
#include <string.h>

_Static_assert(sizeof(int) == 4, "int must have 32 bits");
static_assert(sizeof(double) == sizeof(uint64_t), "double must have 64 bits");

struct checked {
    int8_t a;
    _Static_assert(sizeof(int16_t) == 2, "inside a structure");
    int16_t b;
};

uint64_t exponent(double x)
{
    static_assert(sizeof x == 8, "in a function");
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    assert(x == x);
    return bits >> 52 & 0x7ff;
}

int both(const struct checked *c) { return c->a * 1000 + c->b; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_uint(exponent(-0.1));
    show_int(both(&(struct checked){-100, 30000}));
}
#endif
