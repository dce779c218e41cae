#include <ctype.h>
#include <stdio.h>

char shift(char letter, int by) { return (char)(letter + by); }

signed char lowest(void) { return -128; }

unsigned char highest(unsigned char a, unsigned char b) { return a > b ? a : b; }

int upper(int c) { return toupper(c); }

const char separator = ';';

void greet(const char *name, char mark) { printf("Hello, %s%c\n", name, mark); }

int vowels(const char text[])
{
    int count = 0;
    for (int i = 0; text[i] != '\0'; i++)
        switch (tolower((unsigned char)text[i])) {
        case 'a': case 'e': case 'i': case 'o': case 'u':
            count++;
        }
    return count;
}

void caesar(char *text, int by)
{
    for (char *p = text; *p; p++)
        if (isalpha((unsigned char)*p))
            *p = (char)('a' + (tolower((unsigned char)*p) - 'a' + by + 26) % 26);
}

void invert(unsigned char *pixels, int n)
{
    while (n--)
        pixels[n] = 255 - pixels[n];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    char text[] = "Ave, Caesar XYZ";
    unsigned char pixels[] = {0, 3, 250, 255};
    show_char(shift('Y', 2));
    show_char(shift('"', 1));
    show_int(lowest());
    show_uint(highest(200, 127));
    show_int(upper('q'));
    greet("world", '!');
    show_int(vowels("Programming in C: aeiou AEIOU"));
    caesar(text, 3);
    show_bytes(text, sizeof text);
    invert(pixels, 4);
    show_all(show_uint, unsigned char, pixels);
}
#endif
