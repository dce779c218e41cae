/* Parameters without a name (C23 and GNU C), functions of nothing, of void. */
int second(int, int b) { return b; }

double third(const double *, long, double c) { return c / 3; }

int nothing() { return -7; }

void no_result(int *out) { *out += 5; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int out = -70000;
    show_int(second(1, -300));
    show_real(third(&(double){1}, 2, 0.1));
    show_int(nothing());
    no_result(&out);
    show_int(out);
}
#endif
