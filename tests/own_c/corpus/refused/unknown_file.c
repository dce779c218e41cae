#include <stdlib.h>

int characters(FILE *file);
