#include <stdint.h>

#pragma pack(push, 1)
typedef struct {
    uint8_t version;
    uint32_t length;
    int16_t offset;
    double gain;
} header_t;
#pragma pack(pop)

#pragma pack(2)
struct entry {
    char tag;
    int32_t value;
    int64_t stamp;
};
#pragma pack()

uint32_t payload(const header_t *h) { return h->length - sizeof *h; }

header_t next(header_t h)
{
    h.version++;
    h.offset = -h.offset;
    h.gain *= 1.5;
    return h;
}

int64_t last(struct entry e[], int n) { return e[n - 1].stamp + e[n - 1].value; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    header_t h = {1, 0x07000016, 515, 0.1};
    struct entry entries[] = {{'a', 1, 2}, {'b', -70000, 1LL << 40}};
    show_uint(payload(&h));
    h = next(h);
    show_uint(h.version);
    show_uint(h.length);
    show_int(h.offset);
    show_real(h.gain);
    show_int(last(entries, 2));
}
#endif
