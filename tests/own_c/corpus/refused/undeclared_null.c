int is_null(const int *p)
{
    return p == NULL;
}
