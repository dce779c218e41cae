double *make(int n)
{
    double *x = new double[n];
    delete[] x;
    return x;
}
