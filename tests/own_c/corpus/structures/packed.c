/* A network header: no padding, and a packed structure inside of one that is not. */
#include <stddef.h>
#include <stdint.h>

struct __attribute__((packed)) header {
    uint8_t version;
    uint16_t length;
    uint32_t source;
    int64_t time;
    float load;
};

struct frame {
    uint16_t id;
    struct header header;
    uint32_t checksum;
};

typedef struct {
    char c;
    int i __attribute__((packed));
    double d;
} partly;

unsigned total(const struct header *h) { return h->length + (unsigned)sizeof *h; }

struct header reply(struct header h)
{
    h.source = ~h.source;
    h.time = -h.time;
    h.load /= 3;
    return h;
}

void seal(struct frame *f, int n)
{
    for (int i = 0; i < n; i++)
        f[i].checksum = f[i].header.source ^ f[i].id ^ (uint32_t)i;
}

double parts(partly p) { return p.c + p.i * 2 + p.d * 3 + (double)offsetof(partly, d); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct header h = {4, 65000, 0x7f000001, 1LL << 40, 0.5f}, r = reply(h);
    struct frame f[2] = {{1, h, 0}, {0xffff, r, 7}};
    show_uint(total(&h));
    show_uint(r.version);
    show_uint(r.length);
    show_uint(r.source);
    show_int(r.time);
    show_real(r.load);
    seal(f, 2);
    show_uint(f[0].checksum);
    show_uint(f[1].checksum);
    show_real(parts((partly){'A', -70000, 0.1}));
}
#endif
