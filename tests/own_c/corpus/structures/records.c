/* Large ones, which Python holds as numpy records. */
#include <stddef.h>
#include <stdint.h>

struct sample {
    uint8_t channel;
    int32_t reading;
    float noise[2];
    struct {
        int16_t x, y;
    } at;
};

typedef struct {
    uint8_t pixels[64][64];
    uint32_t sum;
} image;

int64_t readings(const struct sample *samples, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (int64_t)samples[i].reading * samples[i].channel + samples[i].at.y;
    return sum;
}

void calibrate(struct sample *samples, size_t n, float by)
{
    for (size_t i = 0; i < n; i++) {
        samples[i].noise[1] = samples[i].noise[0] * by;
        samples[i].at.x = (int16_t)-samples[i].at.x;
    }
}

struct sample brightest(struct sample a, struct sample b) { return a.reading > b.reading ? a : b; }

image checked(image i)
{
    i.sum = 0;
    for (int row = 0; row < 64; row++)
        for (int col = 0; col < 64; col++)
            i.sum += (i.pixels[row][col] ^= 0x81) * (uint32_t)(row + 1);
    return i;
}

#ifdef MAIN
#include "show.h"
static void show_sample(struct sample s)
{
    show_uint(s.channel);
    show_int(s.reading);
    show_all(show_real, float, s.noise);
    show_int(s.at.x);
    show_int(s.at.y);
}

int main(void)
{
    struct sample s[2] = {{200, -2000000000, {0.1f, 7}, {-300, 5}}, {3, 2000000000, {-0.7f, 0}, {12, -32768}}};
    static image i;
    for (int row = 0; row < 64; row++)
        for (int col = 0; col < 64; col++)
            i.pixels[row][col] = (uint8_t)(row * 3 + col);
    show_int(readings(s, 2));
    calibrate(s, 2, 3);
    show_sample(s[0]);
    show_sample(s[1]);
    show_sample(brightest(s[0], s[1]));
    i = checked(i);
    show_uint(i.sum);
    show_uint(i.pixels[63][62]);
}
#endif
