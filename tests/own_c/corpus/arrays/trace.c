double trace(double a[3][3])
{
    return a[0][0] + a[1][1] + a[2][2];
}

void transpose(double a[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < i; j++) {
            double t = a[i][j];
            a[i][j] = a[j][i];
            a[j][i] = t;
        }
}

float determinant(const float m[2][2])
{
    return m[0][0] * m[1][1] - m[0][1] * m[1][0];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[3][3] = {{1.5, 2, 3}, {-4, 5.25, 6}, {7, 8, -9.125}};
    float m[2][2] = {{0.1f, 2}, {3, -4}};
    show_real(trace(a));
    transpose(a);
    show_all(show_real, double, a);
    show_real(determinant(m));
}
#endif
