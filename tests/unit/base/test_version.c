#include <criterion/criterion.h>
#include <plastfit/plastfit.h>

/* PACKAGE_VERSION is configure's, which reads it out of the header with sed */
Test(base_version, library_header_and_package_agree)
{
  cr_assert_str_eq(pf_version(), PF_VERSION);
  cr_assert_str_eq(pf_version(), PACKAGE_VERSION);
}

Test(base_version, library_has_the_precision_of_the_headers)
{
  cr_assert_eq(pf_version_real_bytes(), sizeof(pf_real));
}
