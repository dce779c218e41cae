#include <stdint.h>
#include <stdlib.h>

struct particle {
    float position[3];
    double mass;
    int8_t charge;
};

typedef struct {
    uint16_t id;
    int64_t score;
} result;

double total_mass(const struct particle *p, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i].mass;
    return sum;
}

void drift(struct particle p[], int n, float dt)
{
    for (int i = 0; i < n; i++) {
        for (int axis = 0; axis < 3; axis++)
            p[i].position[axis] += dt * (axis + 1) * (i + 1);
        p[i].charge = (int8_t)-p[i].charge;
    }
}

static int by_score(const void *a, const void *b)
{
    int64_t first = ((const result *)a)->score, second = ((const result *)b)->score;
    return first < second ? -1 : first > second;
}

void sort(result *results, size_t n) { qsort(results, n, sizeof *results, by_score); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct particle p[2] = {{{1, -2, 0.5f}, 0.1, 100}, {{3, 4, 5}, 1e10, -7}};
    result results[4] = {{1, 5}, {2, -(1LL << 40)}, {65535, 1LL << 40}, {4, -5}};
    show_real(total_mass(p, 2));
    drift(p, 2, 0.25f);
    for (int i = 0; i < 2; i++) {
        show_all(show_real, float, p[i].position);
        show_real(p[i].mass);
        show_int(p[i].charge);
    }
    sort(results, 4);
    for (int i = 0; i < 4; i++) {
        show_uint(results[i].id);
        show_int(results[i].score);
    }
}
#endif
