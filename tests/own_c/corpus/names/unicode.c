/* Names and texts that are not ASCII. */
#include <string.h>

struct kreis {
    double größe;
    char name[8];
};

double fläche(double länge, double breite) { return länge * breite; }

double π(int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += (k % 2 ? -4.0 : 4.0) / (2 * k + 1);
    return sum;
}

double wächst(struct kreis *k, double um)
{
    memcpy(k->name, "groß", 6);
    return k->größe += um;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct kreis k = {-2, "klein"};
    show_real(fläche(0.1, -7));
    show_real(π(5));
    show_real(wächst(&k, 0.3));
    show_real(k.größe);
    show_name(k.name, 8);
}
#endif
