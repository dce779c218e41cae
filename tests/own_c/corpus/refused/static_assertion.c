#include <assert.h>

static_assert(sizeof(long) == 3, "long must have three bytes");

int f(void) { return 1; }
