#include <stdbool.h>

bool leap(int year) { return (year % 4 == 0 && year % 100) || year % 400 == 0; }

_Bool both(_Bool a, bool b) { return a & b; }

int number(bool yes) { return yes ? 10 : -10; }

unsigned pack(const bool flags[8])
{
    unsigned bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (unsigned)flags[i] << i;
    return bits;
}

void toggle(bool *flags, int n)
{
    for (int i = 0; i < n; i += 2)
        flags[i] = !flags[i];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    bool flags[8] = {true, false, false, true, true, false, true, true};
    show_bool(leap(1900));
    show_bool(leap(2024));
    show_bool(both(true, false));
    show_bool(both(1, 1));
    show_int(number(false));
    show_uint(pack(flags));
    toggle(flags, 8);
    show_all(show_bool, bool, flags);
}
#endif
