#include <stdio.h>
#include "matrix_utils.h"

int f(void) { return 1; }
