/* Numerical exercises: an iteration, an integral, a differential equation. */
#include <math.h>
#include <stddef.h>

#define N 3

int jacobi(double a[N][N], const double b[N], double x[N], double tolerance)
{
    for (int round = 1;; round++) {
        double next[N], change = 0;
        for (int i = 0; i < N; i++) {
            double sum = b[i];
            for (int j = 0; j < N; j++)
                if (j != i)
                    sum -= a[i][j] * x[j];
            next[i] = sum / a[i][i];
            change += fabs(next[i] - x[i]);
        }
        for (int i = 0; i < N; i++)
            x[i] = next[i];
        if (change < tolerance || round == 1000)
            return round;
    }
}

void polynomial(const float *coefficients, int degree, const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = 0;
        for (int k = degree; k >= 0; k--)
            y[i] = y[i] * x[i] + coefficients[k];
    }
}

double bisect(double low, double high, double tolerance)
{
    while (high - low > tolerance) {
        double middle = (low + high) / 2;
        if (middle * middle * middle - middle - 2 > 0)
            high = middle;
        else
            low = middle;
    }
    return low;
}

void heat(double *u, double *scratch, int n, int steps, double r)
{
    for (int t = 0; t < steps; t++) {
        for (int i = 1; i < n - 1; i++)
            scratch[i] = u[i] + r * (u[i - 1] - 2 * u[i] + u[i + 1]);
        for (int i = 1; i < n - 1; i++)
            u[i] = scratch[i];
    }
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[N][N] = {{10, -1, 2}, {1, 8, -0.5}, {2, -3, 15}}, b[N] = {0.5, -7, 100}, x[N] = {0};
    double u[5] = {0, 1, -3, 10, 100}, scratch[5];
    float coefficients[3] = {0.1f, -2, 3}, at[2] = {0.5f, -1e5f}, y[2];
    show_int(jacobi(a, b, x, 1e-9));
    show_all(show_real, double, x);
    polynomial(coefficients, 2, at, y, 2);
    show_all(show_real, float, y);
    show_real(bisect(1, 2, 1e-10));
    heat(u, scratch, 5, 7, 0.3);
    show_all(show_real, double, u);
}
#endif
