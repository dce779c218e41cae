/* Arrays that C owns; Python sees them through functions. */
#include <string.h>

#define SIZE 4

static const double weights[SIZE][2] = {{0.1, 0.2}, {0.3, 0.4}, {-0.5, 0.6}, {0.7, 0.8}};
int table[][3] = {{1, 2, 3}, {4, 5, 6}};
char names[3][8] = {"one", "two", "three"};
long long history[1 << 10];
static int used;

double weight(int i, int j) { return weights[i][j]; }

int remember(long long value)
{
    history[used] = value;
    return ++used;
}

long long recall(int back) { return history[used - back]; }

int cell(int row, int col, int add) { return table[row][col] += add; }

int name(int i, char *into, int room)
{
    int length = (int)strlen(names[i]);
    memcpy(into, names[i], (size_t)(length < room ? length + 1 : room));
    return length;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    char into[7] = "xxxxxx";
    show_real(weight(2, 0));
    show_int(remember(-(1LL << 50)));
    show_int(remember(12));
    show_int(recall(2));
    show_int(cell(1, 0, 10));
    show_int(cell(1, 0, -1));
    show_int(name(2, into, 7));
    show_bytes(into, 7);
}
#endif
