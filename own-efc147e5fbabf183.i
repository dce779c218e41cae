# 0 "/tmp/s22/cache-own/kernels/cells/own-efc147e5fbabf183.c"
# 1 "/work/wt/own//"
# 0 "<built-in>"
# 0 "<command-line>"
# 1 "/usr/include/stdc-predef.h" 1 3 4
# 0 "<command-line>" 2
# 1 "/tmp/s22/cache-own/kernels/cells/own-efc147e5fbabf183.c"
static int st(int x){return x*2;} int f(int x){return st(x)+1;} struct p{double x,y;}; double g(struct p a){return a.x*a.y;}

struct spe_lab_call_g { struct p a0; double result; };
void spe_lab_call_g(struct spe_lab_call_g *call);
void spe_lab_call_g(struct spe_lab_call_g *call)
{
    __typeof__(&g) volatile callee = g;
    double result = callee(call->a0);
    __builtin_memcpy(&call->result, &result, sizeof result);
}
