#include <stdarg.h>
#include <stdio.h>

int sum(int count, ...)
{
    va_list list;
    int total = 0;
    va_start(list, count);
    while (count--)
        total = total * 10 + va_arg(list, int);
    va_end(list);
    return total;
}

static int report(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vprintf(format, list);
    va_end(list);
    return n;
}

int sum3(int a, int b, int c) { return sum(3, a, b, c); }

int tell(const char *name, double x, long n) { return report("%s: %.2f of %ld%%\n", name, x, n); }

int take(va_list list) { return va_arg(list, int); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(sum3(1, -2, 300));
    show_int(tell("load", -0.125, 1L << 40));
}
#endif
