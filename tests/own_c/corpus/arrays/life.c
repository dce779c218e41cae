/* Conway's game of life. */
#include <stdbool.h>
#include <string.h>

#define ROWS 5
#define COLS 6

static int neighbours(bool cells[ROWS][COLS], int row, int col)
{
    int count = 0;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            if (i || j)
                count += cells[(row + i + ROWS) % ROWS][(col + j + COLS) % COLS];
    return count;
}

int step(bool cells[ROWS][COLS])
{
    bool next[ROWS][COLS];
    int alive = 0;
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++) {
            int n = neighbours(cells, row, col);
            next[row][col] = n == 3 || (n == 2 && cells[row][col]);
            alive += next[row][col];
        }
    memcpy(cells, next, sizeof next);
    return alive;
}

/* The same board as letters. */
int letters(char board[ROWS][COLS], bool cells[ROWS][COLS])
{
    int used = 0;
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++)
            board[row][col] = cells[row][col] ? '#' : (used++, '.');
    return used;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    bool cells[ROWS][COLS] = {{0, 1}, {0, 0, 1}, {1, 1, 1}};
    char board[ROWS][COLS];
    show_int(step(cells));
    show_int(step(cells));
    show_all(show_bool, bool, cells);
    show_int(letters(board, cells));
    show_all(show_char, char, board);
}
#endif
