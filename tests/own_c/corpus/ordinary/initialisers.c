/* Designated initialisers and compound literals. */
#include <stddef.h>
#include <string.h>

struct option {
    const char *name;
    int value;
    double range[2];
};

static const struct option options[] = {
    [2] = {.name = "verbose", .value = 3},
    [0] = {"depth", 12, {[1] = 0.5}},
    {.range = {-1, 1}, .name = "scale"},
};

static const int days[12] = {31, 28, 31, [3] = 30, 31, 30, 31, [11] = 31, [7] = 31, 30, 31, 30};

static int total(const int *values, size_t n)
{
    int sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

int year(void) { return total(days, sizeof days / sizeof *days); }

int find(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return (int)i * 100 + options[i].value;
    return -1;
}

double range(int at, int end) { return options[at].range[end]; }

int literal(int a, int b) { return total((int[]){a, b, [4] = a * b}, 5); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(year());
    show_int(find("verbose"));
    show_int(find("depth"));
    show_int(find("none"));
    show_real(range(1, 0));
    show_real(range(0, 1));
    show_int(literal(-300, 7));
}
#endif
