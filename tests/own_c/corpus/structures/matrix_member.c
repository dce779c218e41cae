/* Arrays of two and three dimensions as members; by value they travel in memory. */
typedef struct {
    int rows, cols;
    double a[2][3];
} matrix;

struct field {
    char name;
    short cells[2][2][3];
    float mean;
};

matrix scaled(matrix m, double by)
{
    for (int i = 0; i < m.rows; i++)
        for (int j = 0; j < m.cols; j++)
            m.a[i][j] *= by;
    return m;
}

double corner(const matrix *m) { return m->a[m->rows - 1][m->cols - 1]; }

int flip(struct field *f)
{
    int sum = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            for (int k = 0; k < 3; k++)
                sum += f->cells[i][j][k] = (short)(100 * i + 10 * j + k - f->cells[i][j][k]);
    f->mean = (float)sum / 12;
    return sum;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    matrix m = {2, 3, {{1, -2, 0.1}, {4, 5, -6.5}}}, n = scaled(m, 3);
    struct field f = {'f', {{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, -32000}}}, 0};
    show_int(n.rows);
    show_int(n.cols);
    show_all(show_real, double, n.a);
    show_real(corner(&m));
    show_int(flip(&f));
    show_char(f.name);
    show_all(show_int, short, f.cells);
    show_real(f.mean);
}
#endif
