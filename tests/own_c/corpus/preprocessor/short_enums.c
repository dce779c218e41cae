/* With -fshort-enums an enumeration is as wide as its values need. */
#include <stdint.h>

enum level { LOW = -1, NONE, HIGH = 100 };
enum wide { SMALL = 3, LARGE = 70000 };

struct state {
    enum level level;
    int8_t after;
    enum wide wide;
    int16_t last;
};

int size_of_state(void) { return sizeof(struct state); }

int score(const struct state *s) { return s->level * 1000 + s->after * 100 + s->last + (s->wide == LARGE); }

enum level raise_level(enum level l) { return l < HIGH ? l + 1 : LOW; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct state s = {HIGH, -3, LARGE, -500};
    show_int(size_of_state());
    show_int(score(&s));
    show_int(raise_level(HIGH));
    show_int(raise_level(LOW));
}
#endif
