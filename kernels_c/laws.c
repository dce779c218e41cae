/* laws.c: random times, drawn by the million.
 *
 * The same seed gives the same doubles on every machine. What libm gives differs in the last bit from one system to the
 * next, so logarithm and exponential are computed here, by the method of fdlibm (Sun Microsystems, 1993; error below one
 * unit in the last place), from operations that IEEE 754 defines to the bit: + − · / and the square root.
 */
#include "spe.h"

#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF    /* no fused multiply-add, which rounds once where others round twice; gcc does as much for -std=c11 */
#endif

static const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10; /* ln 2, the first with zeros at its end */

/* ln x for a normal x > 0: x = 2^k · (1 + f) with √½ < 1 + f ≤ √2, and ln(1 + f) as an odd series in s = f / (2 + f). */
static inline double logarithm(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += (uint64_t)(0x3ff00000 - 0x3fe6a09e) << 32;          /* carries into the exponent if the fraction is above √2 */
    const double k = (double)((int64_t)(bits >> 52) - 0x3ff);
    bits = (bits & 0x000fffffffffffffu) + ((uint64_t)0x3fe6a09e << 32);
    memcpy(&x, &bits, sizeof x);
    const double f = x - 1, s = f / (2 + f), z = s * s, w = z * z, half = 0.5 * f * f;
    const double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double odd = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    return k * LN2_HIGH - ((half - (s * (half + even + odd) + k * LN2_LOW)) - f);
}

/* e^x for |x| < 700: x = k · ln 2 + r with |r| ≤ ½ ln 2, and e^r from a polynomial in r². */
static inline double exponential(double x)
{
    const int64_t k = (int64_t)(x * 1.44269504088896338700e+00 + (x < 0 ? -0.5 : 0.5));
    const double high = x - (double)k * LN2_HIGH, low = (double)k * LN2_LOW, r = high - low, t = r * r;
    const double c =
        r - t * (1.66666666666666019037e-01 +
                 t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    const double y = 1 - ((low - r * c / (2 - c)) - high);
    const uint64_t bits = (uint64_t)(k + 0x3ff) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

enum law_kind {
    LAW_FIXED = 0,           /* always a */
    LAW_EXPONENTIAL = 1,     /* mean a */
    LAW_LOGNORMAL = 2,       /* e^(a + b · N), N standard normal; |a| + 10 · b < 700 */
    LAW_MIXTURE = 3,         /* exponential of mean a with probability `share`, of mean b otherwise: hyperexponential */
    LAW_TWO_POINTS = 4,      /* a with probability `share`, b otherwise */
    LAW_SAMPLE = 5,          /* any of sample[count], with replacement */
    LAW_KINDS = 6
};

struct law {
    int32_t kind;
    double a, b, share;
    const double *sample;
    uint64_t count;          /* below 2^32 */
};

/* Standard normals in pairs, by Marsaglia's polar method (SIAM Review 6, 1964): of a point that is uniform in the unit disc,
 * the direction and the distance are independent, and ln of the squared distance is exponential. */
static inline double normal_pair(uint64_t *random, double *other)
{
    double x, y, s;
    do {
        x = 2 * spe_random_share(random) - 1;
        y = 2 * spe_random_share(random) - 1;
        s = x * x + y * y;
    } while (s >= 1 || s == 0);
    const double scale = sqrt(-2 * logarithm(s) / s);
    *other = y * scale;
    return x * scale;
}

/* Exponentials of mean one by the ziggurat (Marsaglia and Tsang, Journal of Statistical Software 5(8), 2000). The area under
 * e^−x is covered by layers of equal area v; 99 of 100 points that are drawn in a layer lie below the curve for sure, and cost a
 * multiplication. The lowest layer has the tail beyond r with it, which is exponential again. Filled anew at each call: 10 µs. */
enum { LAYERS = 256, LAYER_ENDS = 257 };

struct ziggurat {
    double edge[LAYER_ENDS], height[LAYER_ENDS];   /* where layer i ends, and e^−edge */
};

static const double ZIGGURAT_R = 7.69711747013104972, ZIGGURAT_V = 3.9496598225815571993e-3;

static void pile_up(struct ziggurat *z)
{
    z->edge[0] = ZIGGURAT_V * exponential(ZIGGURAT_R);      /* as wide as a rectangle of height e^−r would have to be */
    z->height[0] = 0;
    z->edge[1] = ZIGGURAT_R;
    z->height[1] = exponential(-ZIGGURAT_R);
    for (int32_t i = 1; i < LAYERS - 1; i++) {
        z->height[i + 1] = z->height[i] + ZIGGURAT_V / z->edge[i];
        z->edge[i + 1] = -logarithm(z->height[i + 1]);
    }
    z->edge[LAYERS] = 0;
    z->height[LAYERS] = 1;
}

static inline double unit_exponential(const struct ziggurat *z, uint64_t *random)
{
    for (double beyond = 0;;) {
        const uint64_t bits = spe_random(random), i = bits % LAYERS;    /* the share is made of the upper 53 bits */
        const double x = (double)(bits >> 11) * 0x1p-53 * z->edge[i];
        if (x < z->edge[i + 1])
            return beyond + x;
        if (i == 0)
            beyond += ZIGGURAT_R;
        else if (z->height[i] + spe_random_share(random) * (z->height[i + 1] - z->height[i]) < exponential(-x))
            return beyond + x;
    }
}

static void draw(const struct law *law, const struct ziggurat *z, uint64_t *state, double *out, int64_t n)
{
    const double a = law->a, b = law->b, share = law->share;
    uint64_t random = *state;
    switch (law->kind) {
    case LAW_FIXED:
        for (int64_t i = 0; i < n; i++)
            out[i] = a;
        break;
    case LAW_EXPONENTIAL:
        for (int64_t i = 0; i < n; i++)
            out[i] = a * unit_exponential(z, &random);
        break;
    case LAW_LOGNORMAL:
        for (int64_t i = 0; i < n; i += 2) {
            double other, one = normal_pair(&random, &other);
            out[i] = exponential(a + b * one);
            if (i + 1 < n)
                out[i + 1] = exponential(a + b * other);
        }
        break;
    case LAW_MIXTURE:
        for (int64_t i = 0; i < n; i++) {
            double mean = spe_random_share(&random) <= share ? a : b;
            out[i] = mean * unit_exponential(z, &random);
        }
        break;
    case LAW_TWO_POINTS:
        for (int64_t i = 0; i < n; i++)
            out[i] = spe_random_share(&random) <= share ? a : b;
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            out[i] = law->sample[spe_random_below(&random, law->count)];
    }
    *state = random;
}

/* Fills out[n]; *random goes on from call to call. 1 to 25 ns a number, 3 an exponential. */
int32_t law_draw(const struct law *law, uint64_t *random, double *out, int64_t n, spe_cancel cancel)
{
    const int64_t portion = 1 << 17;
    struct ziggurat z;
    if (law->kind < 0 || law->kind >= LAW_KINDS || n < 0 || (law->kind == LAW_SAMPLE && (law->sample == 0 || law->count < 1 || law->count > UINT32_MAX)))
        return SPE_BAD_ARGUMENT;
    pile_up(&z);
    for (int64_t done = 0; done < n; done += portion) {
        if (*cancel)
            return SPE_CANCELLED;
        draw(law, &z, random, out + done, n - done < portion ? n - done : portion);
    }
    return SPE_OK;
}
