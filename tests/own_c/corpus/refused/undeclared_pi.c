double circle(double r)
{
    return M_PI * r * r;
}
