#include <stdint.h>
#include <stdio.h>

static uint64_t memo[94];

uint64_t fibonacci(int n)
{
    if (n < 2)
        return (uint64_t)n;
    if (memo[n] == 0)
        memo[n] = fibonacci(n - 1) + fibonacci(n - 2);
    return memo[n];
}

unsigned ackermann(unsigned m, unsigned n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

int hanoi(int n, char from, char to, char over)
{
    if (n == 0)
        return 0;
    int moves = hanoi(n - 1, from, over, to);
    printf("%c->%c\n", from, to);
    return moves + 1 + hanoi(n - 1, over, to, from);
}

int is_odd(int n);
int is_even(int n) { return n == 0 ? 1 : is_odd(n - 1); }
int is_odd(int n) { return n == 0 ? 0 : is_even(n - 1); }

static int place(int n, int row, unsigned columns, unsigned left, unsigned right)
{
    if (row == n)
        return 1;
    int count = 0;
    for (unsigned free = ~(columns | left | right) & ((1u << n) - 1); free; free &= free - 1) {
        unsigned bit = free & -free;
        count += place(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

int queens(int n) { return place(n, 0, 0, 0, 0); }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_uint(fibonacci(93));
    show_uint(ackermann(2, 7));
    show_int(hanoi(3, 'A', 'C', 'B'));
    show_int(is_even(7));
    show_int(queens(7));
}
#endif
