/* One dimension, in every way in which a course writes it. */
#include <stdio.h>

void sort(int *a, int n)
{
    for (int i = 0; i < n; i++)
        for (int *p = a; p < a + n - 1 - i; p++)
            if (*p > p[1]) {
                int t = *p;
                *p = p[1];
                p[1] = t;
            }
}

int binary_search(const long long sorted[], int n, long long wanted)
{
    int low = 0, high = n - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        if (sorted[middle] == wanted)
            return middle;
        if (sorted[middle] < wanted)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return -1;
}

void minmax(float x[10], float *low, float *high)
{
    *low = *high = x[0];
    for (int i = 1; i < 10; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
}

void print_array(const unsigned short *a, unsigned n)
{
    printf("[");
    for (unsigned i = 0; i < n; i++)
        printf("%s%hu", i ? ", " : "", a[i]);
    printf("]\n");
}

double mean_or(double *x, int n, double otherwise) { return x && n ? (x[0] + x[n - 1]) / 2 : otherwise; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int a[] = {5, -3, 2000000000, 0, -2000000000};
    long long sorted[] = {-(1LL << 40), -1, 5, 1LL << 33, 1LL << 50};
    float x[10] = {3, 1, 4, 1.5f, -9.25f, 2, 6, 5, 3.5f, 8}, low, high;
    unsigned short shorts[] = {1, 65535, 40000};
    sort(a, 5);
    show_all(show_int, int, a);
    show_int(binary_search(sorted, 5, 1LL << 33));
    show_int(binary_search(sorted, 5, 4));
    minmax(x, &low, &high);
    show_real(low);
    show_real(high);
    print_array(shorts, 3);
    show_real(mean_or(NULL, 3, 0.1));
}
#endif
