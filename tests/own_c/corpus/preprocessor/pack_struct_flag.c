/* The same text with and without -fpack-struct has other offsets. */
struct sample {
    char channel;
    int count;
    short low;
    double value;
};

int count(const struct sample *s) { return s->count; }

double weigh(struct sample *s)
{
    s->low--;
    return s->value * s->low;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct sample s = {'x', 7, -300, 2.5};
    show_int(count(&s));
    show_real(weigh(&s));
    show_char(s.channel);
    show_int(s.count);
    show_int(s.low);
    show_real(s.value);
}
#endif
