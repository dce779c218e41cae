#include <stdio.h>

int waits(void)
{
    printf("waiting\n");
    usleep(10);
    return 1;
}
