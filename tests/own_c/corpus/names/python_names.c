/* What Python's own functions and our parameters are called. */
#include <stdbool.h>

int len(const int *list, int max)
{
    int n = 0;
    while (n < max && list[n] != 0)
        n++;
    return n;
}

double sum(double self, double arguments, double named) { return self + 2 * arguments + 4 * named; }
int id(int cell, int name, int limit_s, int own) { return cell + 10 * name + 100 * limit_s + 1000 * own; }
int print(int value, int args, int kwargs) { return value * args - kwargs; }
_Bool isinstance(bool object, bool type) { return object && !type; }
int _private(int _x) { return _x - 1; }
long __dunder(long __y) { return __y * 2; }
int Case(int n, int N) { return n - N; }
int case_(int n) { return n * 5; }
int clash(int in, int in_) { return in * 10 + in_; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int list[4] = {5, -1, 0, 7};
    show_int(len(list, 4));
    show_real(sum(0.1, -2, 3));
    show_int(id(1, -2, 3, 4));
    show_int(print(7, -3, 5));
    show_bool(isinstance(true, false));
    show_int(_private(-300));
    show_int(__dunder(1L << 40));
    show_int(Case(5, 70000));
    show_int(case_(-3));
    show_int(clash(-4, 3));
}
#endif
