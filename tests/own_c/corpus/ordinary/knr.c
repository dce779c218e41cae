/* Definitions as before 1989: no prototype, so float comes as double, and char and short as int. */
#include <stdio.h>

int add(a, b)
int a, b;
{
    return a + b;
}

double average(x, n)
float x;
short n;
{
    return x / n;
}

char next(c)
char c;
{
    return c + 1;
}

long sum(values, n)
long values[];
int n;
{
    long total = 0;
    while (n-- > 0)
        total += values[n];
    return total;
}

int three() { return 3; }

float half(x) float x; { return x / 2; }

int many(a, b, c, d, e, f, g, h) int a, b, c, d, e, f, g, h; { return a - b + c - d + e - f + g - h; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    long values[] = {1L << 40, -3, 7};
    show_int(add(-2000000000, 5));
    show_real(average(0.1f, -3));
    show_char(next('a'));
    show_int(sum(values, 3));
    show_int(three());
    show_real(half(0.7f));
    show_int(many(1, 20, 300, 4000, 50000, 600000, 7000000, -80000000));
}
#endif
