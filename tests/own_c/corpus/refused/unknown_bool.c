#include <stdint.h>

bool even(int32_t x) { return x % 2 == 0; }
