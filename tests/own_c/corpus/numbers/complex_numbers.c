#include <complex.h>
#include <math.h>

double complex rotate(double complex z, double angle) { return z * cexp(I * angle); }

float complex conjugate(float complex z) { return conjf(z); }

double size(double complex z) { return cabs(z); }

int mandelbrot(double complex c, int most)
{
    double complex z = 0;
    int steps = 0;
    while (creal(z) * creal(z) + cimag(z) * cimag(z) < 4 && steps < most) {
        z = z * z + c;
        steps++;
    }
    return steps;
}

/* A plain discrete Fourier transform. */
void dft(int n, const double complex in[n], double complex out[n])
{
    for (int k = 0; k < n; k++) {
        out[k] = 0;
        for (int j = 0; j < n; j++)
            out[k] += in[j] * cexp(-2 * acos(-1) * I * j * k / n);
    }
}

void swap_parts(float complex *z, int n)
{
    for (int i = 0; i < n; i++)
        z[i] = cimagf(z[i]) + crealf(z[i]) * I;
}

double complex gate(double complex m[2][2], int i, int j) { return m[i][j] - m[j][i]; }

/* Between other arguments, in memory and in registers. */
double complex blend(int n, float complex a, double x, double complex b, float y) { return n * a + x * b + y; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    volatile double angle = 0.3; /* or the compiler computes cexp itself, and rounds it better */
    volatile int points = 3;
    double complex in[3] = {1 + 2 * I, -0.5, 0.25 * I}, out[3], m[2][2] = {{1, 2 - I}, {3 + 0.1 * I, 4}};
    float complex z[2] = {0.1f - 2 * I, 3 + 4.5f * I};
    show_complex(rotate(3 - 4 * I, angle));
    show_complex(conjugate(0.1f + 0.7f * I));
    show_real(size(-3 + 4 * I));
    show_int(mandelbrot(-0.75 + 0.1 * I, 500));
    dft(points, in, out);
    show_all(show_complex, double complex, out);
    swap_parts(z, 2);
    show_all(show_complex, float complex, z);
    show_complex(gate(m, 0, 1));
    show_complex(blend(3, 0.5f - 2 * I, -0.1, 1e10 + I, 0.3f));
}
#endif
