/* Prints the values of the corpus: compiled once for all mains. */
#include "show.h"

#include <math.h>
#include <stdio.h>

void show_int(long long value)
{
    printf("%lld\n", value);
    fflush(stdout);
}

void show_uint(unsigned long long value)
{
    printf("%llu\n", value);
    fflush(stdout);
}

void show_bool(int value)
{
    puts(value ? "true" : "false");
    fflush(stdout);
}

static void print_real(double value)
{
    if (isnan(value))
        printf("nan"); /* its sign is no part of the value */
    else
        printf("%a", value);
}

void show_real(double value)
{
    print_real(value);
    puts("");
    fflush(stdout);
}

void show_long_double(long double value)
{
    double nearest = (double)value;
    print_real(nearest);
    printf(" + ");
    print_real(isfinite(nearest) ? (double)(value - nearest) : 0);
    puts("");
    fflush(stdout);
}

void show_complex(double _Complex value)
{
    print_real(__real__ value);
    printf(" + i ");
    print_real(__imag__ value);
    puts("");
    fflush(stdout);
}

void show_bytes(const void *bytes, size_t size)
{
    const unsigned char *each = bytes;
    putchar('"');
    for (size_t i = 0; i < size; i++)
        if (each[i] >= ' ' && each[i] <= '~' && each[i] != '"' && each[i] != '\\')
            putchar(each[i]);
        else
            printf("\\x%02x", (unsigned)each[i]);
    puts("\"");
    fflush(stdout);
}

void show_char(char value)
{
    show_bytes(&value, 1);
}

void show_name(const char *name, size_t size)
{
    while (size > 0 && name[size - 1] == '\0')
        size--;
    show_bytes(name, size);
}

#ifdef __SIZEOF_INT128__
static void print_uint128(unsigned __int128 value)
{
    if (value >= 10)
        print_uint128(value / 10);
    putchar('0' + (int)(value % 10));
}

void show_uint128(unsigned __int128 value)
{
    print_uint128(value);
    puts("");
    fflush(stdout);
}

void show_int128(__int128 value)
{
    if (value < 0)
        putchar('-');
    show_uint128(value < 0 ? -(unsigned __int128)value : (unsigned __int128)value);
}
#endif
