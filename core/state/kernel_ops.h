/* The kernels that are compiled once per instruction set (plastfit/author/simd.h). */

PF_ISA_TARGET static void PF_ISA_NAME(drive)(int64_t n_steps, int64_t n_post, int64_t n_pre,
                                             const pf_real *w, int64_t ldw, const pf_real *pre,
                                             int64_t ld_pre, pf_real *drive, int64_t ld_drive,
                                             bool add)
{
  drive_body(n_steps, n_post, n_pre, w, ldw, pre, ld_pre, drive, ld_drive, add);
}

PF_ISA_TARGET static void PF_ISA_NAME(drive_runs)(const pf_segment *segments, int64_t n_segments,
                                                  int64_t n_post, int64_t n_pre, const pf_real *w,
                                                  int64_t w_stride, int64_t ldw, const pf_real *pre,
                                                  int64_t ld_pre, pf_real *drive, int64_t ld_drive,
                                                  bool add)
{
  drive_runs_body(segments, n_segments, n_post, n_pre, w, w_stride, ldw, pre, ld_pre, drive,
                  ld_drive, add);
}

PF_ISA_TARGET static void PF_ISA_NAME(weight_gradient)(int64_t n_steps, int64_t n_post,
                                                       int64_t n_pre, const pf_real *g_drive,
                                                       int64_t ld_drive, const pf_real *pre,
                                                       int64_t ld_pre, pf_real *g_w, int64_t ldw)
{
  weight_gradient_body(n_steps, n_post, n_pre, g_drive, ld_drive, pre, ld_pre, g_w, ldw);
}

PF_ISA_TARGET static void PF_ISA_NAME(pre_gradient)(int64_t n_steps, int64_t n_post, int64_t n_pre,
                                                    const pf_real *w, int64_t ldw,
                                                    const pf_real *g_drive, int64_t ld_drive,
                                                    pf_real *g_pre, int64_t ld_pre)
{
  pre_gradient_body(n_steps, n_post, n_pre, w, ldw, g_drive, ld_drive, g_pre, ld_pre);
}

PF_ISA_TARGET static void PF_ISA_NAME(update)(int64_t n_post, int64_t n_pre,
                                              const pf_update *update, const pf_real *dw,
                                              int64_t lddw, const pf_real *w, pf_real *w_out,
                                              int64_t ldw)
{
  update_body(n_post, n_pre, update, dw, lddw, w, w_out, ldw);
}

PF_ISA_TARGET static void PF_ISA_NAME(scale)(int64_t n_post, int64_t n_pre, const pf_update *update,
                                             const pf_real *g, int64_t ldg, pf_real *out,
                                             int64_t ldo)
{
  scale_body(n_post, n_pre, update, g, ldg, out, ldo);
}

PF_ISA_TARGET static void PF_ISA_NAME(slope)(int64_t n_steps, int64_t n_planes, int64_t n,
                                             const pf_real *slope, const pf_real *in, pf_real *out,
                                             int64_t ld_out, int64_t stride_out)
{
  slope_body(n_steps, n_planes, n, slope, in, out, ld_out, stride_out);
}

static const pf_kernels PF_ISA_NAME(kernels) = {.drive = PF_ISA_NAME(drive),
                                                .drive_runs = PF_ISA_NAME(drive_runs),
                                                .weight_gradient = PF_ISA_NAME(weight_gradient),
                                                .pre_gradient = PF_ISA_NAME(pre_gradient),
                                                .update = PF_ISA_NAME(update),
                                                .scale = PF_ISA_NAME(scale),
                                                .slope = PF_ISA_NAME(slope)};

#undef PF_ISA
