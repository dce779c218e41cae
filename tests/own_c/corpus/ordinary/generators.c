/* Pseudorandom numbers: state in static variables, unsigned arithmetic that wraps. */
#include <stdint.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252ull;
static unsigned lcg = 1;

uint64_t xorshift(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

unsigned next(void) { return lcg = lcg * 1103515245u + 12345u; }

void seed(unsigned to) { lcg = to; }

void shuffle(int *cards, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)(xorshift() % (uint64_t)(i + 1)), t = cards[i];
        cards[i] = cards[j];
        cards[j] = t;
    }
}

int of_the_system(unsigned seed)
{
    srand(seed);
    int first = rand();
    srand(seed);
    return first == rand();
}

uint32_t fnv1a(const char *text)
{
    uint32_t hash = 2166136261u;
    while (*text)
        hash = (hash ^ (uint8_t)*text++) * 16777619u;
    return hash;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int cards[6] = {1, 2, 3, 4, 5, -6};
    show_uint(xorshift());
    show_uint(xorshift());
    show_uint(next());
    seed(4000000000);
    show_uint(next());
    shuffle(cards, 6);
    show_all(show_int, int, cards);
    show_int(of_the_system(42));
    show_uint(fnv1a("corpus"));
}
#endif
