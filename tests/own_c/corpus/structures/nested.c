#include <stdbool.h>

struct point {
    short x, y;
};

struct rectangle {
    struct point low, high;
    struct {
        bool filled;
        float width;
    } style;
    char tag;
};

struct scene {
    char before;
    struct rectangle shapes[2];
    struct {
        struct point eye;
        long long time;
    } camera;
};

int area(struct rectangle r) { return (r.high.x - r.low.x) * (r.high.y - r.low.y); }

struct rectangle grow(struct rectangle r, short by)
{
    r.low.x -= by;
    r.low.y -= by;
    r.high.x += by;
    r.high.y += by;
    r.style.filled = !r.style.filled;
    r.style.width *= 1.5f;
    return r;
}

long long advance(struct scene *s)
{
    for (int i = 0; i < 2; i++) {
        s->shapes[i].low.x = (short)(s->shapes[i].low.x - 100 * (i + 1));
        s->shapes[i].style.width += s->shapes[i].tag;
    }
    s->camera.eye.y = -1;
    return s->camera.time += 1LL << 35;
}

#ifdef MAIN
#include "show.h"
static void show_rectangle(struct rectangle r)
{
    show_int(r.low.x);
    show_int(r.low.y);
    show_int(r.high.x);
    show_int(r.high.y);
    show_bool(r.style.filled);
    show_real(r.style.width);
    show_char(r.tag);
}

int main(void)
{
    struct rectangle r = {{1, -2}, {30, 400}, {true, 0.1f}, 'r'};
    struct scene s = {'b', {{{1, 2}, {3, 4}, {false, 5.5f}, 'x'}, {{6, 7}, {8, 9}, {true, -1}, 'y'}}, {{10, 11}, -5}};
    show_int(area(r));
    show_rectangle(grow(r, 5));
    show_int(advance(&s));
    show_char(s.before);
    show_rectangle(s.shapes[0]);
    show_rectangle(s.shapes[1]);
    show_int(s.camera.eye.x);
    show_int(s.camera.eye.y);
    show_int(s.camera.time);
}
#endif
