/* What may stand between the brackets, and qualifiers of elements. */
#include <stddef.h>

long first4(int a[static 4]) { return a[0] * 1000L + a[1] * 100 + a[2] * 10 + a[3]; }

void copy(size_t n, short to[restrict n], const short from[restrict const n])
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
}

double last(const size_t n, volatile const double a[const]) { return a[n - 1]; }

unsigned rows(int n, const unsigned a[const restrict][2])
{
    unsigned all = 0;
    for (int i = 0; i < n; i++)
        all = all * 7 + a[i][0] - a[i][1];
    return all;
}

int star(int n, int a[n][n]); /* as prototypes have it: int a[*][*] */

int star(int n, int a[static n][n]) { return a[n - 1][0]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int a[4] = {1, -2, 3000000, 4};
    short to[3], from[3] = {-1, 20000, 3};
    double reals[3] = {1, 2, -0.1};
    unsigned pairs[2][2] = {{5, 3}, {1, 4000000000}};
    int square[2][2] = {{1, 2}, {-3, 4}};
    show_int(first4(a));
    copy(3, to, from);
    show_all(show_int, short, to);
    show_real(last(3, reals));
    show_uint(rows(2, pairs));
    show_int(star(2, square));
}
#endif
