/* Structures by value, with a tag, with a typedef, with both. */
struct point {
    int x, y;
};

typedef struct {
    double re;
    double im;
} cplx;

typedef struct pixel {
    unsigned char r, g, b;
} pixel_t;

struct point move(struct point p, int dx, int dy)
{
    p.x += dx;
    p.y += dy;
    return p;
}

long cross(struct point a, struct point b) { return (long)a.x * b.y - (long)a.y * b.x; }

cplx multiply(cplx a, cplx b) { return (cplx){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

pixel_t mix(pixel_t a, struct pixel b)
{
    return (pixel_t){.r = (a.r + b.r) / 2, .g = (a.g + b.g) / 2, .b = (a.b + b.b) / 2};
}

void swap(struct point *a, struct point *b)
{
    struct point t = *a;
    *a = *b;
    *b = t;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct point p = {3, -4}, q = {-2000000000, 5};
    struct point moved = move(p, 10, -20);
    cplx z = multiply((cplx){0.1, -2}, (cplx){3, 4});
    pixel_t m = mix((pixel_t){255, 0, 11}, (pixel_t){1, 100, 250});
    show_int(moved.x);
    show_int(moved.y);
    show_int(cross(p, q));
    show_real(z.re);
    show_real(z.im);
    show_uint(m.r);
    show_uint(m.g);
    show_uint(m.b);
    swap(&p, &q);
    show_int(p.x);
    show_int(p.y);
    show_int(q.x);
    show_int(q.y);
}
#endif
