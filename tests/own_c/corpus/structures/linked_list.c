#include <stddef.h>

typedef struct node node_t;

struct node {
    int value;
    node_t *next;
    short visits;
};

struct tree {
    struct tree *left, *right;
    double key;
};

long sum(const struct node *head)
{
    long total = 0;
    for (; head; head = head->next)
        total = total * 100 + head->value;
    return total;
}

int visit(node_t *head, int wanted)
{
    int steps = 0;
    for (node_t *n = head; n; n = n->next, steps++) {
        n->visits++;
        if (n->value == wanted)
            n->value = -n->value;
    }
    return steps;
}

int depth(const struct tree *t)
{
    if (t == NULL)
        return 0;
    int left = depth(t->left), right = depth(t->right);
    return 1 + (left > right ? left : right);
}

double least(struct tree *t) { return t->left ? least(t->left) : t->key; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    node_t third = {30, NULL, 7}, second = {-20, &third, 0}, first = {10, &second, -1};
    struct tree leaf = {NULL, NULL, -0.1}, low = {&leaf, NULL, 2}, high = {NULL, NULL, 9}, root = {&low, &high, 5};
    show_int(sum(&first));
    show_int(visit(&first, -20));
    show_int(first.value);
    show_int(first.visits);
    show_int(second.value);
    show_int(second.visits);
    show_int(third.value);
    show_int(third.visits);
    show_int(sum(NULL));
    show_int(depth(&root));
    show_real(least(&root));
}
#endif
