#include <stdio.h>

void greet(int times)
{
    for (int i = 0; i < times; i++)
        pritnf("hello\n");
}
