/* More arguments than registers, of both kinds. */
#include <stdint.h>

double all(int a, double b, int64_t c, float d, int8_t e, double f, uint16_t g, double h, int i, double j, long k, double l,
           short m, float n, unsigned char o, double p, uint64_t q, double r, int8_t s, double t)
{
    double x[] = {a, b, (double)c, d, e, f, g, h, i, j, (double)k, l, m, n, o, p, (double)q, r, s, t};
    double sum = 0;
    for (int at = 0; at < 20; at++)
        sum = sum / 2 + x[at];
    return sum;
}

int64_t tenth(int8_t a, int8_t b, int8_t c, int8_t d, int8_t e, int8_t f, int8_t g, int16_t h, uint8_t i, int32_t j)
{
    return a + b + c + d + e + f + g * 1000000000000L + h * 1000 + i + j;
}

void store(double *to, const double *a, const double *b, const float *c, const int *d, const short *e, const int8_t *f,
           const uint64_t *g)
{
    *to = *a - *b * *c + *d / 2.0 - *e + *f + (double)(*g >> 60);
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double to, a = 1.5, b = -2.25;
    float c = 0.1f;
    int d = -7;
    short e = 300;
    int8_t f = -100;
    uint64_t g = UINT64_MAX;
    show_real(all(1, 2.5, -(1LL << 40), 0.1f, -128, 1e10, 65535, -3.25, -7, 0.7, 1L << 33, 1e-3, -300, 0.3f, 200, -0.5,
                  UINT64_MAX, 12, -1, 0.9));
    show_int(tenth(1, -2, 3, -4, 5, -6, 7, -32768, 255, -2000000000));
    store(&to, &a, &b, &c, &d, &e, &f, &g);
    show_real(to);
}
#endif
