/* Members of structures and unions without a name are members of what they stand in. */
#include <stdint.h>

struct event {
    enum { KEY = 3, MOUSE } kind;
    union {
        struct {
            uint16_t code;
            char letter;
        };
        struct {
            int32_t x, y;
        };
    };
    uint64_t time;
};

typedef union {
    struct {
        uint8_t r, g, b, a;
    };
    uint32_t rgba;
} colour;

int64_t handle(struct event *e)
{
    if (e->kind == KEY) {
        e->letter++;
        return e->code;
    }
    e->x -= 1000;
    e->y *= -1;
    return (int64_t)e->time;
}

uint32_t blue(colour c) { return c.b * 1000u + c.a; }

void fade(colour *c) { c->rgba = c->rgba >> 1 & 0x7f7f7f7f; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct event key = {.kind = KEY, .code = 65535, .letter = 'Q', .time = 5};
    struct event mouse = {.kind = MOUSE, .x = 7, .y = -70000, .time = 1ull << 40};
    colour c = {{250, 20, 77, 255}};
    show_int(handle(&key));
    show_char(key.letter);
    show_int(handle(&mouse));
    show_int(mouse.x);
    show_int(mouse.y);
    show_uint(mouse.time);
    show_uint(blue(c));
    fade(&c);
    show_uint(c.r);
    show_uint(c.g);
    show_uint(c.b);
    show_uint(c.a);
    show_uint(c.rgba);
}
#endif
