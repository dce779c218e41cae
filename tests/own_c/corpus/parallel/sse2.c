/* Intrinsics that every x86-64 processor has. */
#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

double dot(const double *a, const double *b, size_t n)
{
    __m128d sum = _mm_setzero_pd();
    for (size_t i = 0; i + 2 <= n; i += 2)
        sum = _mm_add_pd(sum, _mm_mul_pd(_mm_loadu_pd(a + i), _mm_loadu_pd(b + i)));
    double parts[2];
    _mm_storeu_pd(parts, sum);
    return parts[0] + parts[1];
}

__m128d mix(__m128d a, __m128 b) { return _mm_sub_pd(a, _mm_cvtps_pd(b)); }

__m128i add_bytes(__m128i a, __m128i b) { return _mm_adds_epu8(a, b); }

void scale(__m128 *v, int n, float by)
{
    for (int i = 0; i < n; i++)
        v[i] = _mm_mul_ps(v[i], _mm_set1_ps(by));
}

int32_t largest(const int16_t *x, size_t n)
{
    __m128i most = _mm_loadu_si128((const __m128i *)x);
    for (size_t i = 8; i + 8 <= n; i += 8)
        most = _mm_max_epi16(most, _mm_loadu_si128((const __m128i *)(x + i)));
    int16_t parts[8];
    _mm_storeu_si128((__m128i *)parts, most);
    for (int i = 1; i < 8; i++)
        parts[0] = parts[i] > parts[0] ? parts[i] : parts[0];
    return parts[0];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    double a[4] = {0.1, -2, 3, 1e10}, b[4] = {7, 0.3, -5, 1.5};
    __m128d m = mix(_mm_set_pd(-2, 0.1), _mm_set_ps(9, 8, 0.5f, 0.25f));
    __m128i s = add_bytes(_mm_set_epi64x(0x0102030405060708, 0x1112131415161718), _mm_set1_epi8((char)0xf0));
    __m128 v[2] = {_mm_set_ps(4, 3, 2, 0.1f), _mm_set_ps(8, -7, 6, 5)};
    int16_t x[16] = {1, -2, 3, 4, 5, 6, 7, 8, 9, -10, 11, 30000, 13, 14, -32768, 16};
    show_real(dot(a, b, 4));
    show_all(show_real, double, m);
    show_all(show_int, long long, s);
    scale(v, 2, 3);
    show_all(show_real, float, v);
    show_int(largest(x, 16));
}
#endif
