/* Structures that point to arrays, to text, and to other structures. */
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *title;
    double *values;
    int32_t n;
    float scale;
} series;

struct pair {
    int16_t first, second;
};

struct index {
    struct pair *pairs;
    uint64_t *sizes;
    int count;
    void *user;
};

double total(series s)
{
    double sum = 0;
    for (int i = 0; i < s.n; i++)
        sum += s.values[i];
    return sum * s.scale + (s.title ? strlen(s.title) : 100);
}

void normalise(series *s)
{
    for (int i = 0; i < s->n; i++)
        s->values[i] /= s->values[s->n - 1];
    s->scale = -s->scale;
}

int64_t flip(struct index *in)
{
    for (int i = 0; i < in->count; i++) {
        int16_t t = in->pairs[i].first;
        in->pairs[i].first = in->pairs[i].second;
        in->pairs[i].second = t;
        in->sizes[i] += 1;
    }
    return in->user ? -1 : in->count--;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double values[] = {0.1, -2, 5};
    series s = {"sales", values, 3, 2.5f};
    struct pair pairs[2] = {{1, -2}, {300, -32768}};
    uint64_t sizes[2] = {UINT64_MAX - 1, 7};
    struct index in = {pairs, sizes, 2, NULL};
    show_real(total(s));
    show_real(total((series){NULL, values, 2, 0.1f}));
    normalise(&s);
    show_all(show_real, double, values);
    show_int(s.n);
    show_real(s.scale);
    show_int(flip(&in));
    for (int i = 0; i < 2; i++) {
        show_int(pairs[i].first);
        show_int(pairs[i].second);
    }
    show_all(show_uint, uint64_t, sizes);
    show_int(in.count);
}
#endif
