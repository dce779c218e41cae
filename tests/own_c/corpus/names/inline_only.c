/* inline without static: C emits no function of this name. */
inline int twice(int x) { return 2 * x; }

static inline int thrice(int x) { return 3 * x; }

/* int in_a_comment(int x); char text[] = "int in_text(void)"; */
int six(int x) { return thrice(x) + thrice(x); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(six(-70000));
}
#endif
