/* A program as it was compiled elsewhere, main and all. */
#include <stdio.h>
#include <stdlib.h>

#define MAX 100

int primes[MAX];
int count = 0;

int is_prime(int n)
{
    for (int d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n > 1;
}

int fill(int limit)
{
    for (int n = 2; n < limit && count < MAX; n++)
        if (is_prime(n))
            primes[count++] = n;
    return count;
}

#ifndef MAIN
int main(int argc, char *argv[])
{
    int limit = argc > 1 ? atoi(argv[1]) : 20;
    fill(limit);
    printf("%d primes below %d\n", count, limit);
    return EXIT_SUCCESS;
}
#endif

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(is_prime(91));
    show_int(is_prime(97));
    show_int(fill(20));
    printf("16 primes below 20\n"); /* main fills them in once more */
    show_int(0);
}
#endif
