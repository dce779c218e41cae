#include <stddef.h>

double sum_rows(double **rows, int n, int m)
{
    double sum = 0;
    if (rows == NULL)
        return -1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            sum += rows[i][j];
    return sum;
}

int longest(char *words[], int n)
{
    int best = n ? 0 : -100;
    return words == NULL ? best : words[0][0];
}

void allocate(int **out) { *out = NULL; }

static double a[2] = {0.1, -2}, b[2] = {3, 1e10};
static double *both[2] = {a, b};

double of_globals(void) { return sum_rows(both, 2, 2); }

int deeper(int ***p) { return p == NULL ? 5 : ***p; }

double rows_of(double *rows[3], int at) { return rows ? rows[at][0] : at / 2.0; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(of_globals());
    show_real(sum_rows(NULL, 2, 2));
    show_int(longest(NULL, 0));
    show_int(deeper(NULL));
    show_real(rows_of(NULL, -7));
}
#endif
