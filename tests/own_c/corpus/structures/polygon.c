/* An array of structures inside a structure. */
#define MOST 4

struct vertex {
    double x;
    float weight;
    double y;
};

typedef struct polygon {
    int n;
    struct vertex at[MOST];
    char closed;
} polygon;

double area(const polygon *p)
{
    double twice = 0;
    for (int i = 0; i < p->n; i++) {
        const struct vertex *a = &p->at[i], *b = &p->at[(i + 1) % p->n];
        twice += a->x * b->y - a->y * b->x;
    }
    return twice / 2;
}

polygon extended(polygon p, struct vertex v)
{
    p.at[p.n++] = v;
    p.closed = 'c';
    return p;
}

void shift(polygon *all, int n, double by)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < all[i].n; j++)
            all[i].at[j].x += by * (i + 1);
}

#ifdef MAIN
#include "show.h"
static void show_polygon(polygon p)
{
    show_int(p.n);
    for (int i = 0; i < MOST; i++) {
        show_real(p.at[i].x);
        show_real(p.at[i].weight);
        show_real(p.at[i].y);
    }
    show_char(p.closed);
}

int main(void)
{
    polygon p[2] = {{3, {{0, 0.5f, 0}, {4, 1.5f, 0.1}, {-1, 2.5f, 3}}, 'o'}, {1, {{7, -1, -8}}, 'x'}};
    show_real(area(&p[0]));
    show_polygon(extended(p[0], (struct vertex){-5.5, 0.1f, 1e10}));
    shift(p, 2, 0.25);
    show_polygon(p[0]);
    show_polygon(p[1]);
}
#endif
