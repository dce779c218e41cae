#include <stdint.h>

union number {
    uint32_t bits;
    float real;
    uint8_t bytes[4];
};

typedef union {
    double d;
    int64_t i;
    char text[12];
} wide;

uint32_t sign(union number n) { return n.bits >> 31; }

union number negate(union number n)
{
    n.bits ^= 0x80000000;
    return n;
}

void scale(union number *n, float by) { n->real *= by; }

int64_t integer(wide w) { return w.i; }

wide larger(wide a, wide b) { return a.d > b.d ? a : b; }

int first(const wide *w, int at) { return w->text[at]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    union number n = {.real = -0.1f};
    wide w = {.text = "some letters"};
    show_uint(sign(n));
    n = negate(n);
    show_real(n.real);
    scale(&n, 3);
    show_real(n.real);
    n = negate((union number){.bytes = {1, 2, 3, 200}});
    show_uint(n.bits);
    show_real(n.real);
    show_all(show_uint, uint8_t, n.bytes);
    show_int(integer((wide){.d = -2.5}));
    show_real(larger((wide){.d = -2.5}, (wide){.d = 0.1}).d);
    show_int(first(&w, 11));
}
#endif
