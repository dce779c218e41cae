/* As a header that C and C++ share. */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

typedef struct vec2 {
    float x;
    float y;
} vec2;

API float vec2_dot(vec2 a, vec2 b);
API void vec2_scale(vec2 *v, float by);
extern API int geometry_version(void);

#ifdef __cplusplus
}
#endif

#endif /* GEOMETRY_H */

float vec2_dot(vec2 a, vec2 b) { return a.x * b.x + a.y * b.y; }

void vec2_scale(vec2 *v, float by)
{
    v->x *= by;
    v->y /= by;
}

int geometry_version() { return -12; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    vec2 v = {0.1f, -7};
    show_real(vec2_dot(v, (vec2){3, 0.5f}));
    vec2_scale(&v, 3);
    show_real(v.x);
    show_real(v.y);
    show_int(geometry_version());
}
#endif
