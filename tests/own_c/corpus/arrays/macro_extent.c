#define N 4
#define HALF (N / 2)

void identity(double a[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = i == j;
}

void multiply(const int a[N][HALF], const int b[HALF][N], long long c[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            c[i][j] = 0;
            for (int k = 0; k < HALF; k++)
                c[i][j] += (long long)a[i][k] * b[k][j];
        }
}

enum { WIDTH = sizeof(int) - 1 };

int last(int rows, int a[][WIDTH])
{
    return a[rows - 1][WIDTH - 1];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double one[N][N];
    int a[N][HALF] = {{1, 2}, {3, -4}, {5, 2000000000}, {7, 8}}, b[HALF][N] = {{9, 8, 7, 6}, {-5, 4, -3, 2000000000}};
    long long c[N][N];
    int rows[2][WIDTH] = {{1, 2, 3}, {4, 5, -6}};
    identity(one);
    show_all(show_real, double, one);
    multiply(a, b, c);
    show_all(show_int, long long, c);
    show_int(last(2, rows));
}
#endif
