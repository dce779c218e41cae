#include <stdlib.h>

int length(const char *text)
{
    char *copy = strdup(text);
    int n = (int)strlen(copy);
    free(copy);
    return n;
}
