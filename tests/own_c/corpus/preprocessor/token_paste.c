/* Templates by macro. */
#include <stddef.h>
#include <stdint.h>

#define DEFINE_STACK(type, name)                                                                                       \
    struct name##_stack {                                                                                              \
        size_t size;                                                                                                   \
        type items[4];                                                                                                 \
    };                                                                                                                 \
    int name##_push(struct name##_stack *s, type item)                                                                 \
    {                                                                                                                  \
        if (s->size == 4)                                                                                              \
            return 0;                                                                                                  \
        s->items[s->size++] = item;                                                                                    \
        return 1;                                                                                                      \
    }                                                                                                                  \
    type name##_pop(struct name##_stack *s) { return s->items[--s->size]; }

DEFINE_STACK(int16_t, short)
DEFINE_STACK(double, real)

#define MAX_OF(type)                                                                                                   \
    type max_##type(type a, type b)                                                                                    \
    {                                                                                                                  \
        return a > b ? a : b;                                                                                          \
    }
MAX_OF(int)
MAX_OF(float)
MAX_OF(uint64_t)

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct short_stack s = {1, {-5}};
    struct real_stack r = {0};
    show_int(short_push(&s, -32768));
    show_uint(s.size);
    show_all(show_int, int16_t, s.items);
    show_int(short_pop(&s));
    show_int(short_pop(&s));
    show_int(real_push(&r, 0.1));
    show_real(real_pop(&r));
    show_uint(r.size);
    show_int(max_int(-3, -4));
    show_real(max_float(0.1f, -0.1f));
    show_uint(max_uint64_t(1, 18446744073709551615u));
}
#endif
