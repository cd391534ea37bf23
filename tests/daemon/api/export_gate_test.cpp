// How many exports run at a time.
#include <boost/test/unit_test.hpp>

#include "api/export_gate.hpp"

using cc::api::ExportGate;

BOOST_AUTO_TEST_SUITE(export_gate_test)

BOOST_AUTO_TEST_CASE(two_of_a_tenant_and_four_in_all_and_each_place_is_free_again) {
  ExportGate gate;
  auto first = gate.enter("a");
  const auto second = gate.enter("a");
  BOOST_TEST((first != nullptr && second != nullptr));
  BOOST_TEST(gate.enter("a") == nullptr);
  const auto third = gate.enter("b");
  const auto fourth = gate.enter("c");
  BOOST_TEST((third != nullptr && fourth != nullptr));
  BOOST_TEST(gate.enter("d") == nullptr);
  first.reset();
  BOOST_TEST(gate.enter("d") != nullptr);  // and gone again
  BOOST_TEST(gate.enter("a") != nullptr);
}

BOOST_AUTO_TEST_CASE(a_pass_may_outlive_its_gate) {
  std::shared_ptr<void> pass;
  {
    ExportGate gate;
    pass = gate.enter("a");
  }
  BOOST_TEST(pass != nullptr);
  pass.reset();
}

BOOST_AUTO_TEST_SUITE_END()
