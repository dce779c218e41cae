#define ROWS (1 << 1)
#define COLS (ROWS + 1)
#define CELLS (ROWS * COLS)
#define WORD sizeof(long)

typedef struct {
    unsigned char bytes[WORD];
    int cells[CELLS];
    int after;
} board;

void fill(board *b, int from)
{
    for (int i = 0; i < CELLS; i++)
        b->cells[i] = from - i * i;
    for (unsigned i = 0; i < WORD; i++)
        b->bytes[i] = (unsigned char)(250 + i);
    b->after++;
}

int corner(int grid[ROWS][COLS]) { return grid[ROWS - 1][COLS - 1] - 10 * grid[0][COLS - 1]; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    board b = {.after = 41};
    int grid[ROWS][COLS] = {{1, 2, 3}, {4, 5, -6}};
    fill(&b, 100);
    show_all(show_uint, unsigned char, b.bytes);
    show_all(show_int, int, b.cells);
    show_int(b.after);
    show_int(corner(grid));
}
#endif
