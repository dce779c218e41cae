/* Exceptions, as C has them. */
#include <setjmp.h>
#include <stdio.h>

static jmp_buf on_error;
static int depth;

static int parse(const char *text, int level)
{
    depth = level;
    if (*text == '\0')
        return 0;
    if (*text == '!')
        longjmp(on_error, 10 + level);
    return (*text - '0') + 10 * parse(text + 1, level + 1);
}

int number(const char *text)
{
    int failed = setjmp(on_error);
    if (failed) {
        printf("failed at %d\n", depth);
        return -failed;
    }
    return parse(text, 0);
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(number("123"));
    show_int(number("45!6"));
    show_int(number("7"));
}
#endif
