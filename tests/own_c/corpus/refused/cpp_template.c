template <typename T>
T larger(T a, T b)
{
    return a > b ? a : b;
}
