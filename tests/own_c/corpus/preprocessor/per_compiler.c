/* Types that depend on who compiles, and for what. */
#if defined(__clang__)
typedef double number;
typedef struct {
    short id;
    long value;
} pair;
#else
typedef long long number;
typedef struct {
    long value;
    short id;
} pair;
#endif

#if __SIZEOF_LONG__ == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
typedef unsigned long word;
#else
typedef unsigned long long word;
#endif

number third(number x) { return x / 3; }
word rotate(word w, int by) { return w << by | w >> (64 - by); }
long total(pair p) { return p.value * 10 + p.id; }

#ifdef MAIN
#include "show.h"
int main(void)
{
#ifdef __clang__
    show_real(third(-10));
#else
    show_int(third(-10));
#endif
    show_uint(rotate(0xf0f1f2f3f4f5f6f7, 12));
    show_int(total((pair){.id = -4, .value = 1L << 40}));
}
#endif
