/* What a generator such as yacc or cython leaves behind. */
#line 400 "grammar.y"
int rule(int a, long b)
{
    return a - (int)(b >> 32);
}
#line 1 "/nowhere/lexer.l"
static int state = 5;
long token(short kind)
{
    return state++ * -1000000000000L + kind;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(rule(7, 3L << 32));
    show_int(token(-9));
    show_int(token(9));
}
#endif
