/* Text inside a structure. */
#include <stdio.h>
#include <string.h>

struct person {
    char name[8];
    int age;
    char initial;
    char codes[2][4];
    signed char marks[3];
    unsigned char raw[4];
};

int greet(const struct person *p) { return printf("%.8s is %d\n", p->name, p->age); }

void rename_to(struct person *p, const char *name)
{
    strncpy(p->name, name, sizeof p->name);
    p->initial = name[0];
    p->age++;
    memcpy(p->codes[1], "\xff-\0b", 4);
    p->marks[2] = -128;
    p->raw[3] = 255;
}

struct person twin(struct person p)
{
    p.name[0] = 'T';
    return p;
}

#ifdef MAIN
#include "show.h"
static void show_person(struct person p)
{
    show_name(p.name, sizeof p.name);
    show_int(p.age);
    show_char(p.initial);
    show_name(p.codes[0], 4);
    show_name(p.codes[1], 4);
    show_all(show_int, signed char, p.marks);
    show_all(show_uint, unsigned char, p.raw);
}

int main(void)
{
    struct person p = {"Ada", 36, 'A', {"ab", "cd"}, {1, -2, 3}, {4, 5, 6, 200}};
    show_int(greet(&p));
    rename_to(&p, "Katherine");
    show_person(p);
    show_int(greet(&p));
    rename_to(&p, "Bob");
    show_person(twin(p));
}
#endif
