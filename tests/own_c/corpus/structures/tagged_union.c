/* What textbooks call a variant. */
typedef enum { CIRCLE, RECTANGLE, TRIANGLE } kind_t;

typedef struct {
    kind_t kind;
    union {
        struct { double radius; } circle;
        struct { double width, height; } rectangle;
        struct { float a, b, c; } triangle;
    } as;
    char label[6];
} shape;

double perimeter(shape s)
{
    switch (s.kind) {
    case CIRCLE:
        return 2 * 3.0 * s.as.circle.radius;
    case RECTANGLE:
        return 2 * (s.as.rectangle.width + s.as.rectangle.height);
    default:
        return (double)s.as.triangle.a + s.as.triangle.b + s.as.triangle.c;
    }
}

shape square(double side)
{
    return (shape){.kind = RECTANGLE, .as.rectangle = {side, side * 2}, .label = "square"};
}

double all(const shape *shapes, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum = sum * 10 + perimeter(shapes[i]);
    return sum;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    shape c = {CIRCLE, {.circle = {0.1}}, "c"}, t = {TRIANGLE, {.triangle = {1, -2.5f, 0.1f}}, ""}, both[2] = {c, t};
    shape s = square(0.7);
    show_real(perimeter(c));
    show_real(perimeter(t));
    show_int(s.kind);
    show_real(s.as.rectangle.width);
    show_real(s.as.rectangle.height);
    show_name(s.label, 6);
    show_real(all(both, 2));
}
#endif
