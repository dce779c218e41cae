#include <vector>
using namespace std;

double sum(const vector<double> &x)
{
    double total = 0;
    for (double value : x)
        total += value;
    return total;
}
