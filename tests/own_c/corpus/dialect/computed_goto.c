/* An interpreter with labels as values. */
#include <stdint.h>

int64_t run(const uint8_t *code, int64_t x)
{
    static const void *const table[] = {&&stop, &&add, &&multiply, &&negate};
    goto *table[*code];
add:
    x += *++code;
    goto *table[*++code];
multiply:
    x *= *++code;
    goto *table[*++code];
negate:
    x = -x;
    goto *table[*++code];
stop:
    return x;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    const uint8_t code[] = {1, 5, 2, 200, 3, 2, 255, 0};
    show_int(run(code, -3));
    show_int(run(code, 1LL << 40));
}
#endif
