_Decimal64 price(_Decimal64 net) { return net * 1.19dd; }

_Decimal32 small(int n) { return n / 10.0df; }

int plain(int x) { return x * 3; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(plain(-7));
}
#endif
