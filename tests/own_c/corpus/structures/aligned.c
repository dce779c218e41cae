#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct slot {
    char state;
    int value __attribute__((aligned(16)));
    char last;
};

typedef struct {
    alignas(32) double lanes[4];
    _Alignas(8) char tag;
} block;

struct __attribute__((aligned(64))) line {
    int64_t count;
};

struct row {
    char before;
    struct line lines[2];
};

int size(const struct slot *s, int n) { return (int)(n * sizeof *s) + s[n - 1].value; }

block twice(block b)
{
    for (int i = 0; i < 4; i++)
        b.lanes[i] *= 2;
    b.tag++;
    return b;
}

/* 1 if the block really lies where its type wants it. */
int lies_well(const block *b, int64_t *behind)
{
    *behind = b->tag;
    return (uintptr_t)b % alignof(block) == 0;
}

int64_t count(struct row *r) { return r->lines[0].count++ - r->lines[1].count--; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct slot slots[2] = {{'a', 1, 'b'}, {'c', -70000, 'd'}};
    block b = twice((block){{0.1, -2, 3, 4e10}, 'x'});
    struct row r = {'q', {{1LL << 40}, {-3}}};
    int64_t behind = 0;
    show_int(size(slots, 2));
    show_all(show_real, double, b.lanes);
    show_char(b.tag);
    show_int(lies_well(&b, &behind));
    show_int(behind);
    show_int(count(&r));
    show_int(r.lines[0].count);
    show_int(r.lines[1].count);
    show_char(r.before);
}
#endif
