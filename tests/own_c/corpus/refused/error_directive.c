#ifndef SPECIAL_FLAG
#error "compile with -DSPECIAL_FLAG"
#endif

int f(void) { return SPECIAL_FLAG; }
