/* One list, three uses. */
#include <string.h>

#define COLOURS(X) X(RED, 0xff0000) X(GREEN, 0x00ff00) X(VIOLET, 0x8f00ff)

enum colour {
#define X(name, rgb) name,
    COLOURS(X)
#undef X
        COLOUR_COUNT
};

struct usage {
#define X(name, rgb) long name;
    COLOURS(X)
#undef X
};

unsigned rgb_of(enum colour c)
{
    switch (c) {
#define X(name, rgb)                                                                                                   \
    case name:                                                                                                         \
        return rgb;
        COLOURS(X)
#undef X
    default:
        return 0;
    }
}

int parse_colour(const char *text)
{
#define X(name, rgb)                                                                                                   \
    if (strcmp(text, #name) == 0)                                                                                      \
        return name;
    COLOURS(X)
#undef X
    return -1;
}

long used(struct usage *u) { return (u->RED -= 1) + 2 * u->GREEN + 3 * u->VIOLET; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct usage u = {5, 1L << 33, -7};
    show_uint(rgb_of(VIOLET));
    show_int(parse_colour("GREEN"));
    show_int(parse_colour("blue"));
    show_int(used(&u));
    show_int(u.RED);
    show_int(u.GREEN);
    show_int(u.VIOLET);
    show_int(COLOUR_COUNT);
}
#endif
