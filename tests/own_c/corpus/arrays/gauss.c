/* The inner extent is an expression: an augmented matrix. */
#include <math.h>

int solve(int n, double a[n][n + 1], double x[n])
{
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k]))
                pivot = i;
        if (a[pivot][k] == 0)
            return -1;
        for (int j = 0; j <= n; j++) {
            double t = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        for (int i = k + 1; i < n; i++)
            for (int j = n; j >= k; j--)
                a[i][j] -= a[i][k] / a[k][k] * a[k][j];
    }
    for (int i = n - 1; i >= 0; i--) {
        x[i] = a[i][n];
        for (int j = i + 1; j < n; j++)
            x[i] -= a[i][j] * x[j];
        x[i] /= a[i][i];
    }
    return n;
}

void pairs(int n, short from[2 * n], short to[n][2])
{
    for (int i = 0; i < n; i++) {
        to[i][0] = from[2 * i];
        to[i][1] = from[2 * i + 1];
    }
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[3][4] = {{0, 2, 1, -8}, {1, -2, -3, 0.5}, {-1, 1, 2, 3}}, x[3];
    double singular[2][3] = {{0, 1, 2}, {0, 3, 4}};
    short from[4] = {1, -2, 300, -32768}, to[2][2];
    show_int(solve(3, a, x));
    show_all(show_real, double, x);
    show_all(show_real, double, a);
    show_int(solve(2, singular, x));
    pairs(2, from, to);
    show_all(show_int, short, to);
}
#endif
