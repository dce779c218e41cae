/* _Float16, as in code for neural networks. */
_Float16 scale(_Float16 x, float by) { return (_Float16)(x * by); }

float dot(const _Float16 *a, const _Float16 *b, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum += (float)a[i] * (float)b[i];
    return sum;
}

void relu(_Float16 *x, int n)
{
    for (int i = 0; i < n; i++)
        if (x[i] < 0)
            x[i] = x[i] / 16;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    _Float16 a[3] = {0.1f, -2, 65504}, b[3] = {3, 0.5f, -1};
    show_real(scale((_Float16)0.1f, 3));
    show_real(scale(-65504, 0.5f));
    show_real(dot(a, b, 3));
    relu(a, 3);
    show_all(show_real, _Float16, a);
}
#endif
