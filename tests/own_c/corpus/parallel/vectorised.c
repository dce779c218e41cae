/* Loops that a compiler turns into vectors, with flags that readers try. */
#include <stddef.h>
#include <stdint.h>

void saxpy(size_t n, float a, const float *restrict x, float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

uint64_t count_below(const uint16_t *x, size_t n, uint16_t limit)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += x[i] < limit;
    return count;
}

int32_t dot8(const int8_t *a, const int8_t *b, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    float x[37], y[37];
    uint16_t w[101];
    int8_t a[67], b[67];
    for (int i = 0; i < 37; i++) {
        x[i] = 0.25f * (float)i; /* exact, whatever -Ofast makes of it */
        y[i] = (float)-i;
    }
    for (int i = 0; i < 101; i++)
        w[i] = (uint16_t)(i * 700);
    for (int i = 0; i < 67; i++) {
        a[i] = (int8_t)(i * 3 - 100);
        b[i] = (int8_t)(50 - i);
    }
    saxpy(37, -1.5f, x, y);
    show_all(show_real, float, y);
    show_uint(count_below(w, 101, 40000));
    show_int(dot8(a, b, 67));
}
#endif
