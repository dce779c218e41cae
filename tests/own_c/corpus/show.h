/* What a `main` of the corpus prints with: one value a line, in the form of shown() in example.py. Included under
   #ifdef MAIN only, so that a cell compiles what a reader pastes and nothing else. Each line is flushed, since C's own
   output and that of child processes stands between. */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>

enum { CANNOT_RUN_HERE = 77 }; /* exit status of a main whose instructions this processor does not have */

void show_int(long long value);
void show_uint(unsigned long long value);
void show_bool(int value);

/* Hexadecimal: exact, and never taken for an integer. float and _Float16 are exact as double. */
void show_real(double value);

/* The nearest double, and what is left of it: together as many bits as any long double has. */
void show_long_double(long double value);

void show_complex(double _Complex value);

/* As Python writes bytes, with double quotes and without \n, \t and the like. */
void show_bytes(const void *bytes, size_t size);
void show_char(char value);

/* A member such as char name[8]: without the zeros at its end. */
void show_name(const char *name, size_t size);

#ifdef __SIZEOF_INT128__
void show_uint128(unsigned __int128 value);
void show_int128(__int128 value);
#endif

/* An array of any number of dimensions, seen as its elements: show_all(show_int, short, grid). */
#define show_all(show_one, type, array)                                                                                \
    for (size_t at_ = 0; at_ < sizeof(array) / (sizeof(type)); at_++)                                                  \
    show_one(((const type *)(const void *)&(array))[at_])

#endif
