/* Whether plain char has a sign is the compiler's choice: -funsigned-char, -fsigned-char. */
int brighter(char a, char b) { return a > b; }

char invert(char c) { return ~c; }

int sum(const char *text, int n)
{
    int total = 0;
    for (int i = 0; i < n; i++)
        total += text[i];
    return total;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(brighter('\xc8', 'a'));
    show_char(invert('A'));
    show_int(sum("\xff\x01\x80", 3));
}
#endif
