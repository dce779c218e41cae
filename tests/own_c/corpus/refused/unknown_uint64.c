uint64_t twice(uint64_t x)
{
    return 2 * x;
}
