/* A course writes its own versions of what libraries have, with other types. */
#include <stddef.h>

double gamma(double x, int n) { return n ? x * gamma(x - 1, n - 1) : 1; }
int index(int row, int col, int width) { return row * width + col; }
double y1(double x0, double y0, double slope) { return y0 + slope * x0; }
int send(int what) { return what - 3; }
double signgam(double x) { return x < 0 ? -1 : 1; }
int select(const int *a, int n, int at)
{
    int smaller = 0;
    for (int i = 0; i < n; i++)
        smaller += a[i] < a[at];
    return smaller;
}
void swap(int *a, int *b)
{
    int t = *a;
    *a = *b;
    *b = t;
}
size_t strlcpy(char *to, const char *from, size_t room)
{
    size_t n = 0;
    for (; from[n]; n++)
        if (n + 1 < room) {
            to[n] = from[n];
            to[n + 1] = 0;
        }
    return n;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int a[4] = {5, -1, 70000, 2}, b = -8;
    char to[4] = "zzz";
    show_real(gamma(5.5, 3));
    show_int(index(3, -2, 1000));
    show_real(y1(0.1, -2, 3));
    show_int(send(-300));
    show_real(signgam(-0.1));
    show_int(select(a, 4, 2));
    swap(&a[1], &b);
    show_int(a[1]);
    show_int(b);
    show_uint(strlcpy(to, "letters", 4));
    show_bytes(to, 4);
}
#endif
