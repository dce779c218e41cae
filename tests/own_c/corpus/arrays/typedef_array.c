/* Array types with names of their own, as graphics code has them. */
typedef float vec3[3];
typedef double mat3[3][3];
typedef vec3 triangle[3];

float dot(const vec3 a, const vec3 b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

void cross(vec3 a, vec3 b, vec3 result)
{
    result[0] = a[1] * b[2] - a[2] * b[1];
    result[1] = a[2] * b[0] - a[0] * b[2];
    result[2] = a[0] * b[1] - a[1] * b[0];
}

void apply(mat3 m, double x[3])
{
    double y[3];
    for (int i = 0; i < 3; i++)
        y[i] = m[i][0] * x[0] + m[i][1] * x[1] + m[i][2] * x[2];
    for (int i = 0; i < 3; i++)
        x[i] = y[i];
}

void centroid(vec3 *points, int n, vec3 *out)
{
    for (int axis = 0; axis < 3; axis++) {
        (*out)[axis] = 0;
        for (int i = 0; i < n; i++)
            (*out)[axis] += points[i][axis] / n;
    }
}

float first_of_last(triangle t[], int n) { return t[n - 1][2][0]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    vec3 a = {1, -2, 0.1f}, b = {4, 5.5f, 6}, c, points[2] = {{1, 2, 3}, {-7, 0.3f, 9}}, middle[1];
    mat3 m = {{1, 2, 3}, {4, -5, 6}, {0.1, 8, 9}};
    double x[3] = {1, -1, 1e10};
    triangle t[2] = {{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, {{-1, -2, -3}, {-4, -5, -6}, {-7.5f, -8, -9}}};
    show_real(dot(a, b));
    cross(a, b, c);
    show_all(show_real, float, c);
    apply(m, x);
    show_all(show_real, double, x);
    centroid(points, 2, middle);
    show_all(show_real, float, middle);
    show_real(first_of_last(t, 2));
}
#endif
