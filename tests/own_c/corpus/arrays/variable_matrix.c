/* Matrix code as C99 has it: the extents come first. */
void matmul(int n, int m, int k, double a[n][m], double b[m][k], double c[n][k])
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++) {
            c[i][j] = 0;
            for (int l = 0; l < m; l++)
                c[i][j] += a[i][l] * b[l][j];
        }
}

long sum_rows(int n, int m, int a[n][m], long sums[n])
{
    long all = 0;
    for (int i = 0; i < n; i++) {
        sums[i] = 0;
        for (int j = 0; j < m; j++)
            sums[i] += a[i][j];
        all += sums[i];
    }
    return all;
}

double norm1(unsigned rows, unsigned cols, double (*a)[cols])
{
    double most = 0;
    for (unsigned j = 0; j < cols; j++) {
        double column = 0;
        for (unsigned i = 0; i < rows; i++)
            column += a[i][j] < 0 ? -a[i][j] : a[i][j];
        most = column > most ? column : most;
    }
    return most;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[2][3] = {{1, -2, 3}, {0.5, 5, -6}}, b[3][1] = {{0.1}, {7}, {-1e5}}, c[2][1];
    int whole[2][4] = {{1, 2, 3, 4}, {-2000000000, -2000000000, 7, 8}};
    long sums[2];
    matmul(2, 3, 1, a, b, c);
    show_all(show_real, double, c);
    show_int(sum_rows(2, 4, whole, sums));
    show_all(show_int, long, sums);
    show_real(norm1(2, 3, a));
}
#endif
