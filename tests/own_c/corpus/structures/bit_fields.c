#include <stdbool.h>
#include <stdint.h>

struct date {
    unsigned day : 5;
    unsigned month : 4;
    unsigned year : 23;
};

struct registers {
    int8_t low;
    signed int offset : 6;
    bool ready : 1;
    unsigned : 3;
    unsigned mode : 2;
    unsigned : 0;
    unsigned short rest : 11;
    char kind;
    uint64_t address : 40, size : 20;
    long long balance : 35;
};

struct date next_month(struct date d)
{
    if (++d.month > 12) {
        d.month = 1;
        d.year++;
    }
    return d;
}

int day(const struct date *d) { return d->day; }

int64_t update(struct registers *r)
{
    r->offset -= 1;
    r->ready = !r->ready;
    r->mode++;
    r->rest ^= 0x7ff;
    r->address += 5;
    r->balance = -r->balance;
    return (int64_t)(r->address >> 8) + r->low + r->kind;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct date d = next_month((struct date){31, 12, 2026});
    struct registers r = {-100, -31, true, 2, 1025, 'k', (1ull << 40) - 6, 654321, 1LL << 33};
    show_uint(d.day);
    show_uint(d.month);
    show_uint(d.year);
    show_int(day(&d));
    show_int(update(&r));
    show_int(r.low);
    show_int(r.offset);
    show_bool(r.ready);
    show_uint(r.mode);
    show_uint(r.rest);
    show_char(r.kind);
    show_uint(r.address);
    show_uint(r.size);
    show_int(r.balance);
}
#endif
