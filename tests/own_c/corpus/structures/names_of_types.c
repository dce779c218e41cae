/* Tags, typedefs and pointers to them, some of one name. */
typedef struct item *item_ptr;
typedef const struct item *item_view;

struct item {
    long price;
    char size;
};

typedef struct item stock[2];

typedef struct size {
    int item;
} item;

typedef item size_alias, *size_pointer;

long raise_price(item_ptr i, long by) { return i->price += by; }

long both(stock s) { return s[0].price * 1000 + s[1].price + s[1].size; }

char size(item_view i) { return i->size; }

item twice(size_alias s) { return (item){s.item * 2}; }

void clear(size_pointer s) { s->item = -1; }

#ifdef MAIN
#include "show.h"
int main(void)
{
    struct item i = {1L << 40, 'm'};
    stock s = {{7, 'a'}, {-9, 'b'}};
    struct size t = {-21};
    show_int(raise_price(&i, -1));
    show_int(i.price);
    show_char(size(&i));
    show_int(both(s));
    show_int(twice(t).item);
    clear(&t);
    show_int(t.item);
}
#endif
