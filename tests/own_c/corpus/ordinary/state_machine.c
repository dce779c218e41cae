/* goto, labels, Duff's device. */
#include <stddef.h>

int tokens(const char *s)
{
    int words = 0, numbers = 0;
between:
    if (*s == '\0')
        goto end;
    if (*s == ' ') {
        s++;
        goto between;
    }
    if (*s >= '0' && *s <= '9')
        goto in_number;
    words++;
in_word:
    if (*++s && *s != ' ')
        goto in_word;
    goto between;
in_number:
    numbers++;
    while (*s >= '0' && *s <= '9')
        s++;
    goto between;
end:
    return words * 100 + numbers;
}

void copy(short *to, const short *from, int count)
{
    int n = (count + 3) / 4;
    switch (count % 4) {
    case 0:
        do {
            *to++ = *from++; /* fall through */
    case 3:
            *to++ = *from++; /* fall through */
    case 2:
            *to++ = *from++; /* fall through */
    case 1:
            *to++ = *from++;
        } while (--n > 0);
    }
}

int find(const int *a, int rows, int cols, int wanted)
{
    int at = -1;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            if (a[i * cols + j] == wanted) {
                at = i * 100 + j;
                goto found;
            }
found:
    return at;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    short from[6] = {1, -2, 300, -32768, 5, 6}, to[7] = {9, 9, 9, 9, 9, 9, 9};
    int a[6] = {3, 1, 4, 1, -70000, 9};
    show_int(tokens("the 3 mice and 42 more 7up"));
    copy(to, from, 6);
    show_all(show_int, short, to);
    show_int(find(a, 2, 3, -70000));
    show_int(find(a, 2, 3, 8));
}
#endif
