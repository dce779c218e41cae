/* Functions inside functions: GNU C, and gcc only. */
double integrate(double a, double b, int n, double power)
{
    double f(double x)
    {
        double result = 1;
        for (int i = 0; i < (int)power; i++)
            result *= x;
        return result;
    }
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += f(a + (b - a) * i / n);
    return sum * (b - a) / n;
}

int count(const int *x, int n, int limit)
{
    int found = 0;
    auto void look(int value);
    void look(int value)
    {
        if (value > limit)
            found++;
    }
    for (int i = 0; i < n; i++)
        look(x[i]);
    return found;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int x[4] = {5, -70000, 12, 7};
    show_real(integrate(0, 2, 8, 3));
    show_int(count(x, 4, 5));
}
#endif
