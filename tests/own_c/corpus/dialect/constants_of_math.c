#include <float.h>
#include <limits.h>
#include <math.h>

double circle(double r) { return M_PI * r * r; }
double constant(int which) { return which == 0 ? M_E : which == 1 ? M_SQRT2 : M_LN2; }
float single(void) { return (float)M_PI_2; }
int is_special(double x) { return isnan(x) * 100 + isinf(x) * 10 + (fpclassify(x) == FP_SUBNORMAL); }
double root_mean_square(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum = fma(x[i], x[i], sum);
    return sqrt(sum / n);
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double x[3] = {0.1, -2, 3};
    show_real(circle(0.7));
    show_real(constant(0));
    show_real(constant(1));
    show_real(constant(2));
    show_real(single());
    show_int(is_special(NAN));
    show_int(is_special(-INFINITY) != 0);
    show_int(is_special(5e-324));
    show_real(root_mean_square(x, 3));
}
#endif
