/* One structure of each kind that the x86-64 and AArch64 conventions tell apart, by value in and out. */
#include <complex.h>
#include <stdint.h>

struct bytes3 { char c[3]; };
struct float1 { float x; };
struct floats3 { float x, y, z; };
struct doubles4 { double a, b, c, d; };
struct int_double { int i; double d; };
struct double_int { double d; int8_t i; };
struct float_int { float f; int i; };
struct longs2 { int64_t a, b; };
struct longs3 { int64_t a, b, c; };
struct extended { long double x; };
struct extended_int { long double x; int n; };
struct complexes { double complex z; };
struct complex_float { float complex z; float x; };
struct wide { __int128 w; short s; };
struct of_one { struct { struct { short x; } in; } out; };

struct bytes3 f_bytes3(struct bytes3 s) { s.c[0]++, s.c[2]--; return s; }
struct float1 f_float1(struct float1 s) { s.x *= 3; return s; }
struct floats3 f_floats3(struct floats3 s) { return (struct floats3){s.z, s.x, s.y}; }
struct doubles4 f_doubles4(struct doubles4 s) { return (struct doubles4){s.d, s.a, s.b, s.c}; }
struct int_double f_int_double(struct int_double s) { s.d -= s.i; s.i *= 2; return s; }
struct double_int f_double_int(struct double_int s) { s.d -= s.i; s.i *= 2; return s; }
struct float_int f_float_int(struct float_int s) { s.f -= s.i; s.i *= 2; return s; }
struct longs2 f_longs2(struct longs2 s) { return (struct longs2){s.b, -s.a}; }
struct longs3 f_longs3(struct longs3 s) { return (struct longs3){s.c, -s.a, s.b}; }
struct extended f_extended(struct extended s) { s.x /= 3; return s; }
struct extended_int f_extended_int(struct extended_int s) { s.x /= s.n--; return s; }
struct complexes f_complexes(struct complexes s) { s.z *= I; return s; }
struct complex_float f_complex_float(struct complex_float s) { s.z = s.z * s.x; s.x++; return s; }
struct wide f_wide(struct wide s) { s.w = -s.w * 3; s.s--; return s; }
struct of_one f_of_one(struct of_one s) { s.out.in.x -= 5; return s; }

double together(int a, struct floats3 b, double c, struct longs3 d, struct int_double e, int8_t f, struct longs2 g,
                struct longs2 h, float i, struct double_int j, int k)
{
    return a + b.x * 2 + b.z * 3 + c * 5 + (double)(d.a + d.c * 7) + e.i * 11 + e.d * 13 + f * 17 + (double)(g.a + g.b * 19) +
           (double)(h.a - h.b) + i * 23 + j.d * 29 + j.i * 31 + k * 37;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct bytes3 s0 = f_bytes3((struct bytes3){"ab\x80"});
    show_name(s0.c, 3);
    show_real(f_float1((struct float1){0.1f}).x);
    struct floats3 s1 = f_floats3((struct floats3){0.1f, -2, 3e10f});
    show_real(s1.x), show_real(s1.y), show_real(s1.z);
    struct doubles4 s2 = f_doubles4((struct doubles4){0.1, -2, 3, 4e300});
    show_real(s2.a), show_real(s2.b), show_real(s2.c), show_real(s2.d);
    struct int_double s3 = f_int_double((struct int_double){-70000, 0.1});
    show_int(s3.i), show_real(s3.d);
    struct double_int s4 = f_double_int((struct double_int){0.1, -60});
    show_real(s4.d), show_int(s4.i);
    struct float_int s5 = f_float_int((struct float_int){0.1f, -70000});
    show_real(s5.f), show_int(s5.i);
    struct longs2 s6 = f_longs2((struct longs2){1LL << 40, -3});
    show_int(s6.a), show_int(s6.b);
    struct longs3 s7 = f_longs3((struct longs3){1LL << 40, -3, 1LL << 50});
    show_int(s7.a), show_int(s7.b), show_int(s7.c);
    show_long_double(f_extended((struct extended){1}).x);
    struct extended_int s8 = f_extended_int((struct extended_int){-1, 7});
    show_long_double(s8.x), show_int(s8.n);
    show_complex(f_complexes((struct complexes){0.1 + 2 * I}).z);
    struct complex_float s9 = f_complex_float((struct complex_float){0.1f - 2 * I, 3});
    show_complex(s9.z), show_real(s9.x);
    struct wide s10 = f_wide((struct wide){((__int128)1 << 90) + 7, -32767});
    show_int128(s10.w), show_int(s10.s);
    show_int(f_of_one((struct of_one){{{-300}}}).out.in.x);
    show_real(together(1, (struct floats3){0.5f, 7, -2}, 0.1, (struct longs3){1LL << 40, 8, -3}, (struct int_double){-9, 0.3},
                       -128, (struct longs2){5, -(1LL << 33)}, (struct longs2){-1, 12}, 0.7f, (struct double_int){1e3, 99},
                       -70000));
}
#endif
