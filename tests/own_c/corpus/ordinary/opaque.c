/* A data type that hides its structure: handles can be kept in C only. */
#include <stdlib.h>

struct stack;
typedef struct stack *handle;
struct stack *stack_new(int room);
int stack_depth(const struct stack *s);

static int created;
static struct stack *only;

int created_so_far(void) { return created; }

int start(int room)
{
    only = stack_new(room);
    return stack_depth(only);
}

struct hidden;


int compare_hidden(const struct hidden *h) { return h == NULL ? -7 : 1; }

/* The definition comes last, as from another file. */
struct stack {
    int depth, room;
    double *items;
};

struct stack *stack_new(int room)
{
    struct stack *s = malloc(sizeof *s);
    created++;
    *s = (struct stack){-3, room, NULL};
    return s;
}

int stack_depth(const struct stack *s) { return s->depth * 100 + s->room; }

int is_same(handle a) { return a == only; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    show_int(start(12));
    show_int(created_so_far());
    show_int(stack_depth(&(struct stack){4, -9, NULL}));
    show_int(is_same(NULL));
}
#endif
