/* Nothing in it, one byte, more than registers hold, a callback that stays empty. */
#include <stddef.h>

struct empty {};

struct byte {
    signed char only;
};

struct handler {
    int (*callback)(int, void *);
    void *context;
    int priority;
    struct handler *next;
};

struct zero {
    int n;
    int none[0];
    short after;
};

int count(struct empty e, int n)
{
    (void)e;
    return n - 1;
}

struct byte negate(struct byte b) { return (struct byte){(signed char)-b.only}; }

int run(const struct handler *h, int value)
{
    if (h->callback)
        return h->callback(value, h->context);
    return h->priority * 100 + value + (h->next ? h->next->priority : 0);
}

int after(struct zero z) { return z.n * z.after; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct handler next = {.priority = 40}, h = {NULL, NULL, -7, &next};
    show_int(count((struct empty){}, -4));
    show_int(negate((struct byte){-127}).only);
    show_int(run(&h, 3));
    show_int(after((struct zero){.n = -70000, .after = 300}));
}
#endif
