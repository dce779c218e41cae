/* Two attempts at a function; the old ones are switched off. */
double half(double x) { return x / 2; }
#if 0
float half(float x) { return x / 2; }
#endif

#ifdef OLD_VERSION
int scale(short x, float by)
{
    return x * by;
}
#else
long scale(long x, int by)
{
    return x * by;
}
#endif

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(half(3.0));
    show_real(half(-0.7));
    show_int(scale(-5000000007, 3));
}
#endif
