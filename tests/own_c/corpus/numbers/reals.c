/* float, double, long double: each is rounded where C rounds it. */
#include <float.h>
#include <math.h>

float third(float x) { return x / 3; }
double third_double(double x) { return x / 3; }
long double third_long(long double x) { return x / 3; }

long double kahan(const double *x, int n)
{
    long double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

int digits(void) { return LDBL_MANT_DIG * 10000 + DBL_MANT_DIG * 100 + FLT_MANT_DIG; }

double inverse(double x) { return 1 / x; }
float smallest(void) { return FLT_TRUE_MIN; }
double largest(void) { return DBL_MAX; }

int is_nan(float x) { return x != x; }

double weigh(float a, double b, int n, long double c, float d, long double e)
{
    return (double)(a * 1000 + b * 100 + n * 10 + c + d / 2 + e * 7);
}

void scale(float *x, double *y, int n, float by)
{
    for (int i = 0; i < n; i++) {
        x[i] *= by;
        y[i] = nextafter(y[i], x[i]);
    }
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double y[3] = {0.1, -1e300, 5e-324}, terms[3] = {1e16, 1, -1e16};
    float x[3] = {0.1f, -3e38f, 1e-40f};
    show_real(third(0.1f));
    show_real(third_double(0.1));
    show_long_double(third_long(0.1L));
    show_long_double(third_long(1));
    show_long_double(kahan(terms, 3));
    show_int(digits());
    show_real(inverse(0));
    show_real(inverse(-INFINITY));
    show_real(inverse(NAN));
    show_real(smallest());
    show_real(largest());
    show_int(is_nan(NAN));
    show_int(is_nan(INFINITY));
    show_real(weigh(0.1f, -0.2, 3, 0.4L, 0.5f, -0.6L));
    scale(x, y, 3, 0.7f);
    show_all(show_real, float, x);
    show_all(show_real, double, y);
}
#endif
