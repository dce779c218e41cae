# 0 "/tmp/s22/cache-own/kernels/cells/own-68e354ea8a574d04.c"
# 1 "/work/wt/own//"
# 0 "<built-in>"
# 0 "<command-line>"
# 1 "/usr/include/stdc-predef.h" 1 3 4
# 0 "<command-line>" 2
# 1 "/tmp/s22/cache-own/kernels/cells/own-68e354ea8a574d04.c"
static int st(int x){return x*2;} int f(int x){return st(x)+1;} struct p{double x,y;}; double g(struct p a){return a.x*a.y;}
