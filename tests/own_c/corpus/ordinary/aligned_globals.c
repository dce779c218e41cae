#include <stdalign.h>
#include <stdint.h>

static double table[8] __attribute__((aligned(64))) = {0.1, 2, 3};
alignas(32) int lanes[8];
_Alignas(16) static char text[16] = "sixteen";
__attribute__((section("mine"), used)) long counter = 7;
int answer __attribute__((deprecated)) = 42;
extern int elsewhere;
int elsewhere = -3;

int well_aligned(void) { return (uintptr_t)table % 64 == 0 && (uintptr_t)lanes % 32 == 0 && (uintptr_t)text % 16 == 0; }

double entry(int i) { return table[i] * elsewhere; }

long count(void) { return counter++ * (1L << 40); }

int put(int at, int value)
{
    lanes[at] += value;
    return lanes[at] + text[at];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(well_aligned());
    show_real(entry(0));
    show_int(count());
    show_int(count());
    show_int(put(3, -500));
    show_int(put(3, -500));
}
#endif
