#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int room[4] = {1, -2, 300, -70000};

const char *name_of(int day)
{
    static const char *const names[] = {"Monday", "Tuesday"};
    return names[day % 2];
}

int *find(int wanted)
{
    for (int *p = room; p < room + 4; p++)
        if (*p == wanted)
            return p;
    return NULL;
}

double *zeros(size_t n) { return calloc(n, sizeof(double)); }

int length_of_name(int day) { return (int)strlen(name_of(day)); }

long position(int wanted) { return find(wanted) ? find(wanted) - room : -1; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(length_of_name(1));
    show_int(position(-70000));
    show_int(position(5));
}
#endif
