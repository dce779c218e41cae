/* Packed bit-fields cross the borders of what their types would be stored in. */
#include <stdint.h>

#pragma pack(push, 1)
struct record {
    int8_t kind;
    unsigned long long id : 54;
    unsigned count : 14;
    _Bool last : 1;
    int64_t offset : 50;
    short after;
};

/* As wide as its type, but not where such a member would stand. */
struct full {
    uint8_t low : 4;
    int value : 32;
    uint8_t high : 4;
};
#pragma pack(pop)

struct __attribute__((packed)) tail {
    uint16_t words[3];
    uint64_t rest : 40;
};

long long step(struct record *r)
{
    r->id ^= 0x3fffffffffffff;
    r->count++;
    r->last = !r->last;
    r->offset = -r->offset;
    r->after--;
    return r->kind + (long long)r->offset;
}

struct tail shifted(struct tail t)
{
    t.rest <<= 1;
    t.words[2] ^= 1;
    return t;
}

int value(struct full f) { return f.value + f.high; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct record r = {-5, 0x123456789abcd, 0x2aaa, 1, -(1LL << 48), -32767};
    struct tail t = shifted((struct tail){{1, 2, 65535}, 0x7123456789});
    show_int(step(&r));
    show_int(r.kind);
    show_uint(r.id);
    show_uint(r.count);
    show_bool(r.last);
    show_int(r.offset);
    show_int(r.after);
    show_all(show_uint, uint16_t, t.words);
    show_uint(t.rest);
}
#endif
