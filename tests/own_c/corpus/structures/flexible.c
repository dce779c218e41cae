#include <stddef.h>
#include <stdint.h>

struct vector {
    uint32_t size;
    double x[];
};

struct message {
    short kind;
    char text[];
};

struct old_style {
    int8_t count;
    int16_t items[0];
};

double sum(const struct vector *v)
{
    double total = 0;
    for (uint32_t i = 0; i < v->size; i++)
        total += v->x[i];
    return total;
}

void reverse(struct vector *v)
{
    for (uint32_t i = 0; i < v->size / 2; i++) {
        double t = v->x[i];
        v->x[i] = v->x[v->size - 1 - i];
        v->x[v->size - 1 - i] = t;
    }
}

int length(const struct message *m)
{
    int n = 0;
    while (m->text[n])
        n++;
    return n * m->kind;
}

int16_t last(const struct old_style *o) { return o->items[o->count - 1]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    static struct vector v = {3, {0.1, -2, 1e10}};
    static struct message m = {-3, "flexible"};
    static struct {
        struct old_style head;
        int16_t items[2];
    } o = {{2}, {7, -300}};
    show_real(sum(&v));
    reverse(&v);
    show_uint(v.size);
    for (int i = 0; i < 3; i++)
        show_real(v.x[i]);
    show_int(length(&m));
    show_int(last(&o.head));
}
#endif
