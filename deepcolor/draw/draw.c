/* What passes.py does in many passes, in one: L*a*b* as eight-bit sRGB. */

#include <stdint.h>

#define BLOCK 256     /* pixels whose light stays in the first cache */
#define MOST_STEPS 40
#define CORNER (6.0f / 29)
#define STEP_MASK 0x7fff /* keeps what is no number inside the table */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { RED = 24, GREEN = 16, BLUE = 8 };
#else
enum { RED = 0, GREEN = 8, BLUE = 16 };
#endif

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && __GNUC__ >= 12
/* The loader takes the best that the processor can do. */
#define FOR_EACH_PROCESSOR \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* As tables.py has them: `mixing` is (3, 7), `gamma` has twice as many steps as sRGB. */
typedef struct {
    const float *mixing;
    const uint8_t *gamma;
    float last;
    float close;
} Tables;

/* Planes of a* over 500 and b* over -200, `plane` apart, of rows as wide as the photograph. Each of the photograph's
   is mixed of `taps` of these, from `first` on, by `weights`; both are (rows, ...). */
typedef struct {
    const float *wide;
    int64_t plane;
    const int32_t *first;
    const float *weights;
    int64_t taps;
} Chroma;

static inline float larger(float a, float b) { return a > b ? a : b; }

/* f³ above the corner and its tangent there below, mixed into one of red, green and blue. */
static inline float mixed(const float *mixing, float fx, float fy, float fz)
{
    float tx = larger(fx, CORNER), ty = larger(fy, CORNER), tz = larger(fz, CORNER);
    return mixing[0] * (tx * tx * tx) + mixing[1] * (ty * ty * ty) + mixing[2] * (tz * tz * tz)
         + mixing[3] * (fx - tx) + mixing[4] * (fy - ty) + mixing[5] * (fz - tz) + mixing[6];
}

/* How far beyond what sRGB has the worst channel is, in steps, negative inside. */
static inline float excess(float red, float green, float blue, float last)
{
    float most = larger(larger(red, green), blue), least = -larger(larger(-red, -green), -blue);
    return larger(-least, most - last);
}

/* Moves `light` from a color outside the gamut to the most chroma that sRGB has at its lightness and
   hue; as _fit in passes.py. */
static inline void fit(const Tables *tables, float fy, float da, float db, float light[3])
{
    float gray = mixed(tables->mixing, fy, fy, fy);
    float inside = 0, at_inside = excess(gray, gray, gray, tables->last);
    float outside = 1, at_outside = excess(light[0], light[1], light[2], tables->last);
    for (int step = 0; step < MOST_STEPS; step++) {
        float share = (inside * at_outside - outside * at_inside) / (at_outside - at_inside);
        float fx = fy + da * share, fz = fy + db * share;
        for (int channel = 0; channel < 3; channel++)
            light[channel] = mixed(tables->mixing + 7 * channel, fx, fy, fz);
        float at_share = excess(light[0], light[1], light[2], tables->last);
        if (at_share > -tables->close && at_share < tables->close)
            break;
        /* An end that stays a second time counts half, so that both ends close in. */
        if (at_share > 0)
            outside = share, at_outside = at_share, at_inside /= 2;
        else
            inside = share, at_inside = at_share, at_outside /= 2;
    }
    for (int channel = 0; channel < 3; channel++)
        light[channel] = larger(0, -larger(-light[channel], -tables->last));
}

/* Some of a row of colors, mixed of those rows of a*b* that its taps reach. */
static inline void mix(const Chroma *chroma, int64_t width, int64_t row, int64_t begin, int count,
                       float *restrict da, float *restrict db)
{
    const float *from = chroma->wide + chroma->first[row] * width + begin;
    const float *weights = chroma->weights + row * chroma->taps;
    for (int i = 0; i < count; i++)
        da[i] = weights[0] * from[i], db[i] = weights[0] * from[chroma->plane + i];
    for (int64_t tap = 1; tap < chroma->taps; tap++) {
        from += width;
        for (int i = 0; i < count; i++)
            da[i] += weights[tap] * from[i], db[i] += weights[tap] * from[chroma->plane + i];
    }
}

/* Rows of pixels whose f(Y) is `tones[*levels]`: red, green and blue in memory's order, then nothing. */
FOR_EACH_PROCESSOR
void deepcolor_draw(int64_t rows, int64_t width, const uint16_t *levels, const float *tones,
                    const Chroma *chroma, const Tables *tables, uint32_t *pixels)
{
    const float *of_red = tables->mixing, *of_green = of_red + 7, *of_blue = of_red + 14;
    const uint8_t *gamma = tables->gamma;
    for (int64_t block = 0, blocks = (width + BLOCK - 1) / BLOCK; block < rows * blocks; block++) {
        int64_t row = block / blocks, begin = block % blocks * BLOCK;
        int count = width - begin < BLOCK ? (int)(width - begin) : BLOCK;
        const uint16_t *level = levels + row * width + begin;
        uint32_t *pixel = pixels + row * width + begin;
        float da[BLOCK], db[BLOCK], red[BLOCK], green[BLOCK], blue[BLOCK], beyond[BLOCK], worst = 0;
        mix(chroma, width, row, begin, count, da, db);
        for (int i = 0; i < count; i++) {
            float fy = tones[level[i]], fx = fy + da[i], fz = fy + db[i];
            red[i] = mixed(of_red, fx, fy, fz);
            green[i] = mixed(of_green, fx, fy, fz);
            blue[i] = mixed(of_blue, fx, fy, fz);
            beyond[i] = excess(red[i], green[i], blue[i], tables->last);
            worst = larger(worst, beyond[i]);
        }
        int outside[BLOCK], outsiders = 0;
        for (int i = 0; worst > 0 && i < count; i++) {
            outside[outsiders] = i; /* and stays, if it is: no branch to guess */
            outsiders += beyond[i] > 0;
        }
        for (int k = 0; k < outsiders; k++) {
            int i = outside[k];
            float light[3] = {red[i], green[i], blue[i]};
            fit(tables, tones[level[i]], da[i], db[i], light);
            red[i] = light[0], green[i] = light[1], blue[i] = light[2];
        }
        uint16_t steps[3][BLOCK]; /* apart from the table, for this loop is a vectorized one */
        for (int i = 0; i < count; i++) {
            steps[0][i] = (int)red[i] & STEP_MASK;
            steps[1][i] = (int)green[i] & STEP_MASK;
            steps[2][i] = (int)blue[i] & STEP_MASK;
        }
        for (int i = 0; i < count; i++)
            pixel[i] = (uint32_t)gamma[steps[0][i]] << RED | (uint32_t)gamma[steps[1][i]] << GREEN
                     | (uint32_t)gamma[steps[2][i]] << BLUE;
    }
}
