int first(int x)
{
    int y = (x + 1;
    return y;
}
