#include <stdint.h>

struct queue {
    int16_t head;
#ifdef DEBUG
    uint64_t pushes;
#endif
    int32_t tail;
    int8_t items[5];
    double load;
};

int push(struct queue *q, int8_t item)
{
#ifdef DEBUG
    q->pushes++;
#endif
    q->items[q->tail % 5] = item;
    q->load = (q->tail + 1 - q->head) / 5.0;
    return ++q->tail;
}

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct queue q = {.head = -2, .tail = 3, .items = {1, 2, 3, 4, 5}};
    show_int(push(&q, -7));
    show_int(push(&q, 100));
    show_int(q.head);
    show_int(q.tail);
    show_all(show_int, int8_t, q.items);
    show_real(q.load);
}
#endif
