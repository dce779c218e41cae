#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void handler(int number) { caught += number; }

int open_nothing(void)
{
    errno = 0;
    return fopen("/no/such/file", "r") == NULL && errno == ENOENT;
}

int parse(const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == ERANGE ? -2 : *end != '\0' ? -1 : 0;
}

int signals(int times)
{
    caught = 0;
    signal(SIGUSR1, handler);
    for (int i = 0; i < times; i++)
        raise(SIGUSR1);
    return caught == times * SIGUSR1;
}

void complain(int code) { fprintf(stderr, "error %d\n", code); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    long value;
    show_int(open_nothing());
    show_int(parse("-123456789012", &value));
    show_int(value);
    show_int(parse("12x", &value));
    show_int(value);
    show_int(parse("99999999999999999999", &value));
    show_int(signals(3));
    complain(-7);
}
#endif
