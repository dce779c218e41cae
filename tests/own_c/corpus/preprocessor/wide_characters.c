/* -fshort-wchar makes wchar_t two bytes without a sign. */
#include <stddef.h>

size_t width(void) { return sizeof(wchar_t); }

wchar_t upper(wchar_t c) { return c >= L'a' && c <= L'z' ? c - 32 : c; }

struct key {
    wchar_t symbol;
    int count;
};

int add(struct key *k, wchar_t c)
{
    k->count += c == k->symbol;
    return k->count;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct key k = {L'\x20ac', -1};
    show_uint(width());
    show_int(upper(L'q'));
    show_int(upper(L'\x20ac'));
    show_int(add(&k, L'\x20ac'));
    show_int(k.symbol);
    show_int(k.count);
}
#endif
