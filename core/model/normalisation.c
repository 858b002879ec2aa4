#include "core/model/normalisation.h"

#include <string.h>

static void weigh_by_cells(pf_loss_weight loss, pf_draw_share *shares, size_t n, double *constant)
{
  (void)constant;
  int64_t pooled = 0;
  for (size_t d = 0; d < n; d++) {
    pooled += shares[d].observed;
  }
  for (size_t d = 0; d < n; d++) {
    shares[d].scale = pooled > 0 ? loss.weight / (double)pooled : 0.0;
  }
}

static void weigh_by_table(pf_loss_weight loss, pf_draw_share *shares, size_t n, double *constant)
{
  for (size_t d = 0; d < n; d++) {
    const double table = (double)shares[d].table, observed = (double)shares[d].observed;
    shares[d].scale = loss.weight / table / (double)n;
    *constant -= loss.weight * loss.padded * (table - observed) / table / (double)n;
  }
}

static void weigh_alike(pf_loss_weight loss, pf_draw_share *shares, size_t n, double *constant)
{
  (void)constant;
  for (size_t d = 0; d < n; d++) {
    shares[d].scale = loss.weight;
  }
}

const pf_normalisation pf_normalisations[] = {
    {"steps", "mean over observed cells", true, false, weigh_by_cells},
    {"padded", "mean over trials x longest trial (padded)", false, false, weigh_by_table},
    {"sum", "sum", true, true, weigh_alike},
};
const size_t pf_n_normalisations = sizeof pf_normalisations / sizeof pf_normalisations[0];
