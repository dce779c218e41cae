/* Vectors of GNU C, by value and in memory. */
typedef double pair __attribute__((vector_size(16)));
typedef float quad __attribute__((vector_size(16)));
typedef int four __attribute__((vector_size(16)));
typedef unsigned char sixteen __attribute__((vector_size(16)));
typedef short two __attribute__((vector_size(4)));

pair add(pair a, pair b) { return a + b; }

quad scale(quad v, float by) { return v * by; }

four compare(four a, four b) { return a > b; }

sixteen invert(sixteen v) { return ~v; }

double first(pair v, int i) { return v[i] * 10; }

void accumulate(quad *sums, const quad *v, int n)
{
    for (int i = 0; i < n; i++)
        sums[i] += v[i];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    pair p = add((pair){0.1, -2}, (pair){3, 1e300});
    quad q = scale((quad){1, -2, 0.1f, 4}, 3), sums[2] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
    four f = compare((four){1, -2, 3, 2000000000}, (four){0, 5, 3, -4});
    sixteen s = invert((sixteen){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255});
    const quad v[2] = {{0.5f, -1, 0, 1e10f}, {-5, 6.25f, 7, 8}};
    show_all(show_real, double, p);
    show_all(show_real, float, q);
    show_all(show_int, int, f);
    show_all(show_uint, unsigned char, s);
    show_real(first((pair){1, -7.5}, 1));
    accumulate(sums, v, 2);
    show_all(show_real, float, sums);
}
#endif
