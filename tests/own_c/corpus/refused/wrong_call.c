static int add(int a, int b) { return a + b; }

int three(int a)
{
    return add(a);
}
