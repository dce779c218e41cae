#include <stddef.h>

typedef enum { NORTH, EAST, SOUTH, WEST } direction;
enum weekday { MONDAY = 1, TUESDAY, SUNDAY = 7 };
enum sign { MINUS = -1, ZERO, PLUS };
enum flag { READ = 1 << 0, WRITE = 1 << 1, RUN = 1 << 2, ALL = READ | WRITE | RUN };
enum large { HUGE_VALUE = 1LL << 40, TINY_VALUE = -5 };
enum __attribute__((packed)) byte_sized { LITTLE = 3, MORE = 200 };
enum { BUFFER = 16 * sizeof(int), LETTER = 'A' };

direction turn(direction d, int right) { return (d + right + 4) % 4; }

enum sign sign_of(double x) { return x < 0 ? MINUS : x > 0 ? PLUS : ZERO; }

int weekend(enum weekday d) { return d > 5; }

enum flag without(enum flag all, enum flag some) { return all & ~some; }

enum large larger(enum large a) { return a == TINY_VALUE ? HUGE_VALUE : TINY_VALUE; }

enum byte_sized step(enum byte_sized b) { return b == LITTLE ? MORE : LITTLE; }

int histogram(const direction *path, size_t n, int counts[4])
{
    for (size_t i = 0; i < n; i++)
        counts[path[i]]++;
    return counts[WEST];
}

int buffer(void) { return BUFFER + LETTER; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    direction path[5] = {WEST, EAST, WEST, NORTH, WEST};
    int counts[4] = {10, 0, -1, 5};
    show_int(turn(WEST, 2));
    show_int(turn(NORTH, -1));
    show_int(sign_of(-0.1));
    show_int(sign_of(2));
    show_int(weekend(SUNDAY));
    show_int(without(ALL, WRITE));
    show_int(larger(TINY_VALUE));
    show_int(larger(HUGE_VALUE));
    show_int(step(LITTLE));
    show_int(histogram(path, 5, counts));
    show_all(show_int, int, counts);
    show_int(buffer());
    show_int(MINUS);
    show_int(HUGE_VALUE);
}
#endif
