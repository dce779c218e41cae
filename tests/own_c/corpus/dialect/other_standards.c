/* The same text as C90, C99, C17 and C23 with GNU's extensions. */
#include <stdlib.h>

struct pair {
    int first;
    long second;
};

static int compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->second > y->second) - (x->second < y->second);
}

void sort(struct pair *pairs, int n)
{
    qsort(pairs, n, sizeof *pairs, compare);
}

double weigh(const double *x, int n)
{
    double sum = 0;
    int i;
    for (i = 0; i < n; i++)
        sum += x[i] * (i + 1);
    return sum;
}

int none()
{
    return -3;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct pair pairs[3] = {{1, 5}, {-2, -(1L << 40)}, {3, 0}};
    double x[3] = {0.1, -2, 1e10};
    int i;
    sort(pairs, 3);
    for (i = 0; i < 3; i++) {
        show_int(pairs[i].first);
        show_int(pairs[i].second);
    }
    show_real(weigh(x, 3));
    show_int(none());
    return 0;
}
#endif
