inline int square(int x)
{
    int sum = 0;
    for (int i = 0; i < x; i++)
        sum += x;
    return sum;
}

int (*pointer)(int) = square;

int fourth(int x) { return pointer(square(x)); }
