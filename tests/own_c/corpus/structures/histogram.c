/* An array inside a structure comes back. */
#include <stddef.h>

struct histogram {
    double low, high;
    long bin[4];
    unsigned short outside;
};

void add(struct histogram *h, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int at = (int)((x[i] - h->low) / (h->high - h->low) * 4);
        if (x[i] < h->low || at > 3)
            h->outside++;
        else
            h->bin[at] += 1L << (10 * at);
    }
}

long most(const struct histogram *h)
{
    int best = 0;
    for (int i = 1; i < 4; i++)
        if (h->bin[i] > h->bin[best])
            best = i;
    return h->bin[best] + best;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct histogram h = {-1, 3, {7, -5, 0, 1}, 65534};
    double x[] = {-0.5, 0.5, 2.9, 3, -7, 1.5, 0.25};
    add(&h, x, 7);
    show_real(h.low);
    show_real(h.high);
    show_all(show_int, long, h.bin);
    show_uint(h.outside);
    show_int(most(&h));
}
#endif
