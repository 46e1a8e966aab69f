/* Rejection-inversion (Hörmann and Derflinger, 1996): the density x^-e is a hat
 * over the probabilities; its integral can be inverted in closed form, and few
 * draws are rejected whatever n is, so there is no table. */
#include "connectors/datagen_zipf.h"

#include <math.h>

/* The integral of x^-e, up to a constant. Near e = 1 the power form loses all
 * its digits, and the logarithm is right to far more than those. */
static double area(const datagen_zipf *z, double x) {
  double q = 1 - z->e;
  return fabs(q) < 1e-9 ? log(x) : expm1(q * log(x)) / q;
}

static double inverse_area(const datagen_zipf *z, double a) {
  double q = 1 - z->e;
  if (fabs(q) < 1e-9) return exp(a);
  double t = q * a;
  if (t <= -1) t = nextafter(-1, 0); /* rounding: x would be infinite */
  return exp(log1p(t) / q);
}

static double density(const datagen_zipf *z, double x) { return exp(-z->e * log(x)); }

void datagen_zipf_init(datagen_zipf *z, uint64_t n, double e) {
  z->n = n ? (double)n : 0x1p64;
  z->e = e;
  z->area_first = area(z, 1.5) - 1;
  z->area_all = area(z, z->n + 0.5);
  z->squeeze = 2 - inverse_area(z, area(z, 2.5) - density(z, 2));
}

uint64_t datagen_zipf_draw(const datagen_zipf *z, datagen_stream *s) {
  for (;;) {
    double a = z->area_all + datagen_unit(datagen_next(s)) * (z->area_first - z->area_all);
    double x = inverse_area(z, a);
    double k = floor(x + 0.5);
    if (!(k >= 1)) k = 1;
    if (k > z->n) k = z->n;
    if (k - x <= z->squeeze || a >= area(z, k + 0.5) - density(z, k)) return k >= 0x1p64 ? UINT64_MAX : (uint64_t)k - 1;
  }
}
