/* Sizes that the compiler must compute. */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct padded {
    long value;
    char pad[64 - sizeof(long)];
};

struct table {
    uint8_t used[(10 + CHAR_BIT - 1) / CHAR_BIT];
    int32_t entries[1 << 3];
    char name[sizeof "constant"];
    short tail[offsetof(struct padded, pad) > 4 ? 3 : 2];
};

int sum(int values[(sizeof(struct padded) == 64) * 2 + 1]) { return values[0] - values[2]; }

int size_of_table(void) { return sizeof(struct table); }

void mark(struct table *t, unsigned i)
{
    t->used[i / 8] |= (uint8_t)(1 << i % 8);
    t->entries[i % 8] = -(int)i;
    t->name[i % 8] = (char)('A' + i);
    t->tail[2]--;
}

long value(const struct padded *p) { return p[1].value; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int values[3] = {5, 0, 70000};
    struct table t = {{1, 2}, {3, 0, 0, 0, 0, 0, 0, 8}, "constant", {7, 8, -32767}};
    struct padded p[2] = {{1, ""}, {-(1L << 40), ""}};
    show_int(sum(values));
    show_int(size_of_table());
    mark(&t, 9);
    show_all(show_uint, uint8_t, t.used);
    show_all(show_int, int32_t, t.entries);
    show_name(t.name, sizeof t.name);
    show_all(show_int, short, t.tail);
    show_int(value(p));
}
#endif
