/* Functions named like what the object of a cell has. */
int time(int x) { return x + 1; }
int close(int x) { return x + 2; }
int call(int x) { return x + 3; }
int output(int x) { return x + 4; }
int source(int x) { return x + 5; }
int functions(int x) { return x + 6; }
int function(int x) { return x + 7; }
int assembly(int x) { return x + 8; }
int sliders(int x) { return x + 9; }
int beside(int x) { return x + 10; }
int warnings(int x) { return x + 11; }
int constants(int x) { return x + 12; }
int dtype(int x) { return x + 13; }
int name(int x) { return x + 14; }
int flags(int x) { return x + 15; }
int file(int x) { return x + 16; }
int limit_s(int x) { return x + 17; }
int ordinary(int x) { return close(x) - time(x); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int (*all[])(int) = {time,    close,  call,     output,    source, functions, function, assembly, sliders,
                         beside,  warnings, constants, dtype, name,      flags,    file,     limit_s,  ordinary};
    for (int i = 0; i < 18; i++)
        show_int(all[i](-100 * i));
}
#endif
