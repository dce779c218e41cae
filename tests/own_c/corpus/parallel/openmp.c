/* -fopenmp */
#include <omp.h>
#include <stdint.h>

int64_t sum(const int32_t *x, int n)
{
    int64_t total = 0;
#pragma omp parallel for reduction(+ : total) num_threads(3)
    for (int i = 0; i < n; i++)
        total += (int64_t)x[i] * (i + 1);
    return total;
}

int threads(int wanted)
{
    int seen = 0;
#pragma omp parallel num_threads(wanted)
    {
#pragma omp atomic
        seen += 10;
#pragma omp critical
        seen += omp_get_thread_num();
    }
    return seen;
}

void stencil(int n, int m, const double in[n][m], double out[n][m])
{
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int i = 1; i < n - 1; i++)
        for (int j = 1; j < m - 1; j++)
            out[i][j] = (in[i - 1][j] + in[i + 1][j] + in[i][j - 1] + in[i][j + 1]) / 4;
}

int fibonacci(int n)
{
    int a, b;
    if (n < 2)
        return n;
#pragma omp task shared(a)
    a = fibonacci(n - 1);
#pragma omp task shared(b)
    b = fibonacci(n - 2);
#pragma omp taskwait
    return a + b;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int32_t x[5] = {2000000000, 2000000000, -3, 4, -50000};
    double in[3][4] = {{1, 0.1, -2, 4}, {5, 6, 7, 8}, {9, -10.5, 11, 12}}, out[3][4] = {{0}};
    show_int(sum(x, 5));
    show_int(threads(2));
    stencil(3, 4, (const double(*)[4])in, out);
    show_all(show_real, double, out);
    show_int(fibonacci(12));
}
#endif
