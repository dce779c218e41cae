double hypotenuse(double a, double b)
{
    return sqrt(a * a + b * b);
}
