/* Integers of any number of bits (C23). */
_BitInt(37) wide(_BitInt(37) x) { return x + 1; }

unsigned _BitInt(3) narrow(unsigned _BitInt(3) x) { return x + 1; }

int plain(int x) { return x + 3; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(plain(-7));
}
#endif
