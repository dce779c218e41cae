/* 16 bytes wide, as long double is on some machines: another format behind the same size. */
#ifndef __FLT128_MANT_DIG__
#define _Float128 __float128
#endif

double rounded(_Float128 x) { return (double)(x * 3); }

_Float128 third(double x) { return (_Float128)x / 3; }

void scale(_Float128 *x, int n)
{
    while (n--)
        x[n] *= 2;
}

int plain(int x) { return x - 1; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(plain(-5));
}
#endif
