#include "core/base/random.h"

#include <math.h>
#include <Random123/philox.h>

/*
 * One Philox block gives two 64-bit words, hence two numbers. Key: the seed.
 * Counter: 48 bits of block index, 32 of animal, 32 of draw, 16 of purpose.
 */
static void block_of(pf_stream stream, uint64_t index, double uniform[2])
{
  philox4x32_ctr_t counter = {{(uint32_t)index,
                               ((uint32_t)(index >> 32) & 0xffffU) | (stream.purpose << 16),
                               stream.animal, stream.draw}};
  philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
  philox4x32_ctr_t word = philox4x32(counter, key);
  for (int k = 0; k < 2; k++) {
    uint64_t bits = ((uint64_t)word.v[2 * k + 1] << 32) | word.v[2 * k];
    uniform[k] = (double)(bits >> 11) * 0x1p-53;
  }
}

void pf_random_uniform(pf_stream stream, uint64_t first, int64_t n, double *out)
{
  double pair[2];
  for (int64_t i = 0; i < n;) {
    uint64_t at = first + (uint64_t)i;
    block_of(stream, at / 2, pair);
    for (uint64_t k = at % 2; k < 2 && i < n; k++) {
      out[i++] = pair[k];
    }
  }
}

void pf_random_normal(pf_stream stream, uint64_t first, int64_t n, double *out)
{
  double pair[2];
  for (int64_t i = 0; i < n;) {
    uint64_t at = first + (uint64_t)i;
    block_of(stream, at / 2, pair);
    double radius = sqrt(-2.0 * log(1.0 - pair[0])); /* 1 - u is in (0, 1], and exact */
    double angle = 6.283185307179586476925 * pair[1];
    double normal[2] = {radius * cos(angle), radius * sin(angle)};
    for (uint64_t k = at % 2; k < 2 && i < n; k++) {
      out[i++] = normal[k];
    }
  }
}

/*
 * The uniform number is used up by one probability after another, the most likely count first, then
 * outwards: nothing underflows, whatever the rate.
 */
int64_t pf_random_poisson(double rate, double uniform)
{
  const double mode = floor(rate);
  double above = mode, below = mode;
  double p_above = rate > 0.0 ? exp(mode * log(rate) - rate - lgamma(mode + 1.0)) : 1.0,
         p_below = p_above;
  double left = uniform - p_above;
  while (left >= 0.0 && p_above + p_below > 0x1p-60) {
    above += 1.0;
    p_above *= rate / above;
    left -= p_above;
    if (left < 0.0) {
      return (int64_t)above;
    }
    p_below = below > 0.0 ? p_below * (below / rate) : 0.0;
    below = below > 0.0 ? below - 1.0 : below;
    left -= p_below;
    if (left < 0.0) {
      return (int64_t)below;
    }
  }
  return (int64_t)mode;
}
