/* Three dimensions, fixed and variable. */
#include <stdint.h>

int64_t at(int64_t a[2][3][4], int z, int y, int x) { return a[z][y][x]; }

void blur(int nz, int ny, int nx, float in[nz][ny][nx], float out[nz][ny][nx])
{
    for (int z = 0; z < nz; z++)
        for (int y = 0; y < ny; y++)
            for (int x = 0; x < nx; x++)
                out[z][y][x] = (in[z][y][x] + in[z][y][(x + 1) % nx] + in[z][(y + 1) % ny][x]) / 3;
}

void grey(int height, int width, uint8_t image[height][width][3])
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            unsigned sum = 2u * image[y][x][0] + 5u * image[y][x][1] + image[y][x][2];
            for (int c = 0; c < 3; c++)
                image[y][x][c] = (uint8_t)(sum / 8 + (unsigned)c);
        }
}

int16_t plane(int16_t (*a)[2][3], int n) { return a[n - 1][1][2]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    int64_t a[2][3][4];
    float in[2][2][3] = {{{1, 2, 3}, {4, 5, 6.5f}}, {{-1, 20, 0.1f}, {7, 8, 9}}}, out[2][2][3];
    uint8_t image[1][2][3] = {{{250, 3, 77}, {9, 255, 1}}};
    int16_t planes[2][2][3] = {{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, -1200}}};
    for (int i = 0; i < 24; i++)
        (&a[0][0][0])[i] = (int64_t)i << 33;
    show_int(at(a, 1, 2, 1));
    show_int(at(a, 0, 1, 3));
    blur(2, 2, 3, in, out);
    show_all(show_real, float, out);
    grey(1, 2, image);
    show_all(show_uint, uint8_t, image);
    show_int(plane(planes, 2));
}
#endif
