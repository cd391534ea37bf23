// Secrets at rest: what was sealed is only opened with its key, as what it was.
#include "vault.hpp"

#include <stdexcept>

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

const std::string key_a(Vault::key_size, 'a');
const std::string key_b(Vault::key_size, 'b');
const std::string context = "password hw/291";
const std::string secret = "p4ss word!";

std::string seal(const Vault& vault, const std::string& text = secret) {
  const auto sealed = vault.seal(text, context);
  BOOST_REQUIRE(sealed);
  return *sealed;
}

std::string problem(const Result<std::string>& result) {
  BOOST_REQUIRE(!result);
  BOOST_TEST(result.error().message.find(secret) == std::string::npos);
  return result.error().message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vault_test)

BOOST_AUTO_TEST_CASE(what_is_sealed_can_be_opened) {
  const Vault vault(key_a);
  for (const std::string& text :
       {secret, std::string(), std::string("\0\xFF", 2), std::string(5000, 'x')}) {
    const std::string sealed = seal(vault, text);
    BOOST_TEST(sealed.size() == 1U + 4U + 12U + text.size() + 16U);
    const auto opened = vault.open(sealed, context);
    BOOST_REQUIRE(opened);
    BOOST_TEST((*opened == text));
  }
  BOOST_TEST(seal(vault).find(secret) == std::string::npos);
  BOOST_TEST((seal(vault) != seal(vault)));
  BOOST_TEST((vault.open(seal(vault), context)).operator bool());
}

BOOST_AUTO_TEST_CASE(it_is_opened_as_nothing_else) {
  const Vault vault(key_a);
  const std::string sealed = seal(vault);
  problem(vault.open(sealed, "password hw/292"));
  problem(vault.open(sealed, "session hw/291"));
  problem(vault.open(sealed, ""));
  BOOST_TEST(password_context("hw", "291") == context);
  BOOST_TEST(session_context("hw", "291") == "session hw/291");
}

BOOST_AUTO_TEST_CASE(damage_is_noticed_wherever_it_is) {
  const Vault vault(key_a);
  const std::string sealed = seal(vault);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = sealed;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      problem(vault.open(damaged, context));
    }
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    problem(vault.open(sealed.substr(0, size), context));
  }
  problem(vault.open(sealed + 'x', context));
}

BOOST_AUTO_TEST_CASE(a_key_can_be_changed) {
  const Vault before(key_a);
  const Vault during(key_b, {key_a});
  const Vault after(key_b);
  const std::string old = seal(before);
  BOOST_TEST((*during.open(old, context) == secret));
  BOOST_TEST(!during.sealed_with_newest(old));
  BOOST_TEST(before.sealed_with_newest(old));
  BOOST_TEST(!before.sealed_with_newest(""));
  BOOST_TEST(problem(after.open(old, context)).find("agents.previousKeys") != std::string::npos);
  const std::string renewed = seal(during);
  BOOST_TEST(during.sealed_with_newest(renewed));
  BOOST_TEST((*after.open(renewed, context) == secret));
  problem(before.open(renewed, context));
}

BOOST_AUTO_TEST_CASE(without_a_key_nothing_goes) {
  const Vault none;
  BOOST_TEST(!none.has_key());
  BOOST_TEST(problem(none.seal(secret, context)).find("agents.key") != std::string::npos);
  BOOST_TEST(problem(none.open(seal(Vault(key_a)), context)).find("agents.key") !=
             std::string::npos);
  BOOST_TEST(!none.sealed_with_newest(seal(Vault(key_a))));
  BOOST_CHECK_THROW(Vault("short"), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
