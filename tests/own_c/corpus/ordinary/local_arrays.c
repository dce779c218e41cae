/* Variable-length arrays, large arrays, static ones. */
#include <stdint.h>
#include <string.h>

double determinant(int n, double a[n][n])
{
    if (n == 1)
        return a[0][0];
    double minor[n - 1][n - 1], sum = 0;
    for (int col = 0; col < n; col++) {
        for (int i = 1; i < n; i++)
            for (int j = 0, to = 0; j < n; j++)
                if (j != col)
                    minor[i - 1][to++] = a[i][j];
        sum += (col % 2 ? -1 : 1) * a[0][col] * determinant(n - 1, minor);
    }
    return sum;
}

int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b), row[m + 1];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[m];
}

int64_t large(int n)
{
    int64_t room[1 << 15];
    for (int i = 0; i < n; i++)
        room[i] = (int64_t)i * i * i;
    return room[n - 1] - room[n / 2];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[4][4] = {{0.5, -1, 2, 3}, {4, 5, 6, 7}, {-8, 9, 1, 11}, {1, 13, 14, 15.25}};
    show_real(determinant(4, a));
    show_int(distance("kitten", "sitting"));
    show_int(distance("", "abc"));
    show_int(large(30000));
}
#endif
