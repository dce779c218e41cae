#include <stdint.h>
#include <stdlib.h>

#define COLS 3

int64_t sum(int32_t (*grid)[COLS], size_t rows)
{
    int64_t total = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < COLS; j++)
            total = total * 10 + grid[i][j];
    return total;
}

void reverse_rows(uint16_t (*grid)[COLS], int rows)
{
    for (int i = 0; i < rows; i++) {
        uint16_t first = grid[i][0];
        grid[i][0] = grid[i][COLS - 1];
        grid[i][COLS - 1] = first;
    }
}

static int32_t board[2][COLS] = {{1, 2, 3}, {4, 5, 6}};

/* A single row by its address. */
int place(int32_t (*row)[COLS], int at)
{
    (*row)[at] += board[1][at];
    board[1][at]++;
    return board[1][at];
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    int32_t grid[3][COLS] = {{1, 2, 3}, {-4, 5, 600000}, {7, -8, 9}}, row[1][COLS] = {{10, 20, 30}};
    uint16_t reversed[2][COLS] = {{1, 2, 65535}, {4, 5, 6}};
    show_int(sum(grid, 3));
    reverse_rows(reversed, 2);
    show_all(show_uint, uint16_t, reversed);
    show_int(place(row, 2));
    show_int(place(row, 2));
    show_all(show_int, int32_t, row);
}
#endif
