#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A dynamic array that lives in C between calls. */
static int64_t *items;
static size_t used, room;

size_t push(int64_t item)
{
    if (used == room) {
        room = room ? 2 * room : 1;
        items = realloc(items, room * sizeof *items);
    }
    items[used++] = item;
    return room;
}

int64_t pop(void) { return used ? items[--used] : -1; }

void release(void)
{
    free(items);
    items = NULL;
    used = room = 0;
}

int sieve(int limit)
{
    char *composite = calloc((size_t)limit + 1, 1);
    int primes = 0;
    for (int n = 2; n <= limit; n++) {
        if (composite[n])
            continue;
        primes++;
        for (int64_t m = (int64_t)n * n; m <= limit; m += n)
            composite[m] = 1;
    }
    free(composite);
    return primes;
}

/* Memory of any kind. */
uint32_t checksum(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    uint32_t sum = 1, more = 0;
    for (size_t i = 0; i < bytes; i++) {
        sum = (sum + p[i]) % 65521;
        more = (more + sum) % 65521;
    }
    return more << 16 | sum;
}

void swap_bytes(void *memory, size_t size)
{
    char *p = memory;
    for (size_t i = 0; i < size / 2; i++) {
        char t = p[i];
        p[i] = p[size - 1 - i];
        p[size - 1 - i] = t;
    }
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double x[2] = {0.1, -2};
    uint16_t word[2] = {0x1234, 0xff00};
    show_uint(push(1LL << 40));
    show_uint(push(-5));
    show_uint(push(7));
    show_int(pop());
    show_int(pop());
    release();
    show_int(pop());
    show_int(sieve(10000));
    show_uint(checksum("Wikipedia", 9));
    show_uint(checksum(x, sizeof x));
    swap_bytes(word, sizeof word);
    show_all(show_uint, uint16_t, word);
}
#endif
