/* -mavx2 -mfma, where the processor has them. */
#include <immintrin.h>
#include <stdint.h>

__m256d fused(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }

int64_t sum(const int32_t *x, int n)
{
    __m256i total = _mm256_setzero_si256();
    for (int i = 0; i + 4 <= n; i += 4)
        total = _mm256_add_epi64(total, _mm256_cvtepi32_epi64(_mm_loadu_si128((const __m128i *)(x + i))));
    int64_t parts[4];
    _mm256_storeu_si256((__m256i *)parts, total);
    return parts[0] + parts[1] + parts[2] + parts[3];
}

void halve(__m256 *v, int n)
{
    for (int i = 0; i < n; i++)
        v[i] = _mm256_div_ps(v[i], _mm256_set1_ps(2));
}

struct block {
    char tag;
    __m256d lanes;
};

double first(const struct block *b) { return b->lanes[0] - b->lanes[3]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return CANNOT_RUN_HERE;
    int32_t x[8] = {2000000000, 2000000000, -3, 4, 5, 6, 7, -80};
    __m256 v[1] = {_mm256_setr_ps(0.1f, -2, 3, 4, 5, 6, 7, -8.5f)};
    struct block b = {'b', _mm256_setr_pd(0.1, 2, 3, -4)};
    __m256d f = fused(_mm256_setr_pd(0.1, -2, 3, 4), _mm256_setr_pd(0.1, 7, 1e10, -1), _mm256_setr_pd(-0.01, 1, 0.5, 0));
    show_all(show_real, double, f);
    show_int(sum(x, 8));
    halve(v, 1);
    show_all(show_real, float, v);
    show_real(first(&b));
}
#endif
