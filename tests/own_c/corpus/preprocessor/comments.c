/* What only looks like C. */
// float twice(float x) { return 3 * x; } \
float twice(float x) { return 4 * x; }
double twice(double x) { return 2 * x; } /* int twice(int x); */

const char pattern[] = "/* int hidden(int x) { return x; } // ";
const char quote = '"', other = '\'', slash = '\\';

long length_of_pattern(void) { return (long)sizeof pattern; }

int count_char(const char *text, char wanted)
{
    int count = 0; // "text" ends with '\0'
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

int div\
ide(int a, int b)
{
    return a / *&b /* a comment in the place of a blank */ / 1;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_real(twice(0.35));
    show_int(length_of_pattern());
    show_int(count_char("/* // \\ */", '/'));
    show_int(divide(-100, 7));
}
#endif
