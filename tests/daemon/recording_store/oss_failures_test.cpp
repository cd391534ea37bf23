// The OSS store where something goes wrong: nothing is stored wrongly, doubled or left half-done.
#include "oss_bucket.hpp"

namespace cc::test {

BOOST_FIXTURE_TEST_SUITE(oss_failures, OssBucket)

BOOST_AUTO_TEST_CASE(a_clock_that_is_off_is_named_with_the_skew) {
  control("PUT", "clock", {{"skewSeconds", 1200}});
  const PutResult result = put("bytes");
  check_not_stored(result, "RequestTimeTooSkewed", true);
  // A second may pass on the way.
  const bool named = contains(result.problem.message, "clock is 1200 s behind OSS's") ||
                     contains(result.problem.message, "clock is 1199 s behind OSS's");
  BOOST_TEST(named, result.problem.message);
  BOOST_TEST(operations("PutObject") == 1);  // in vain again
  control("PUT", "clock", {{"skewSeconds", -1200}});
  BOOST_TEST(contains(put(some_bytes(2 * part)).problem.message, "ahead of OSS's"));
  clock.shift_ms = -1'200'000;
  BOOST_TEST(put("bytes").stored.has_value());
}

BOOST_AUTO_TEST_CASE(wrong_credentials_and_places_are_refused_at_once_with_a_remedy) {
  const auto expect = [&](const char* code, const char* remedy) {
    store.reset();
    const PutResult result = put("bytes");
    check_not_stored(result, code, true);
    BOOST_TEST(contains(result.problem.message, remedy), result.problem.message);
    BOOST_TEST(contains(result.problem.message, "(request "), result.problem.message);
    BOOST_TEST(clock.pauses.empty());
  };
  account.access_key_secret = "hush-hash";
  expect("SignatureDoesNotMatch", "recordings.oss.accessKeySecret");
  account.access_key_secret = "hush-hush";
  account.access_key_id = "LTAI-other";
  expect("InvalidAccessKeyId", "recordings.oss.accessKeyId");
  account.access_key_id = "LTAI-test";
  account.bucket = "other";
  expect("NoSuchBucket", "recordings.oss.bucket");
  account.bucket = "calls";
  account.access_key_secret = "hush-hash";
  store.reset();
  const auto problem = remove();
  BOOST_REQUIRE(problem.has_value());
  BOOST_TEST(problem->refused);
}

BOOST_AUTO_TEST_CASE(throttling_is_waited_for_as_long_as_oss_asks_within_bounds) {
  fault({{"kind", "throttle"}, {"count", 1}, {"retryAfter", 20}});
  fault({{"kind", "throttle"}, {"count", 1}, {"retryAfter", 100000}, {"status", 429}});
  fault({{"kind", "throttle"}, {"count", 1}});
  const std::string bytes = some_bytes(1000);
  check_stored(put(bytes), bytes);
  BOOST_REQUIRE(clock.pauses.size() == 3U);
  BOOST_TEST(clock.pauses[0].count() == 20'000);
  BOOST_TEST(clock.pauses[1].count() == 30'000);
  BOOST_TEST(clock.pauses[2].count() >= 1000);
  BOOST_TEST(clock.pauses[2].count() <= 8000);
  BOOST_TEST(!remove().has_value());
  fault({{"kind", "throttle"}, {"operation", "PutObject"}, {"probability", 1}});
  check_not_stored(put(bytes), "QpsLimitExceeded");
  BOOST_TEST(operations("PutObject") == 4 + 5);
}

BOOST_AUTO_TEST_CASE(a_connection_that_breaks_midway_is_made_again) {
  const std::string small = some_bytes(90'000), large = some_bytes(4 * part + 9);
  for (const char* kind : {"cut_request", "lost_answer", "cut_answer", "status"}) {
    for (const char* operation : {"PutObject", "InitiateMultipartUpload", "UploadPart",
                                  "CompleteMultipartUpload", "ListMultipartUploads"}) {
      BOOST_TEST_CONTEXT(kind << " of " << operation) {
        control("POST", "clear");
        control("DELETE", "faults");
        const bool one = operation == std::string("PutObject");
        fault({{"kind", kind}, {"operation", operation}, {"count", 2}, {"after", {0, 200}}});
        const std::string& bytes = one ? small : large;
        check_stored(put(bytes), bytes);
        const auto faults = control("GET", "faults").at("faults").as_array();
        BOOST_TEST(faults[0].at("applied").to_number<int>() >= 1);
      }
    }
  }
  BOOST_TEST(operations("GetObject") == 0);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_to_complete_is_settled_by_what_is_there) {
  const std::string bytes = some_bytes(3 * part);
  fault({{"kind", "lost_answer"}, {"operation", "CompleteMultipartUpload"}});
  check_stored(put(bytes), bytes);
  BOOST_TEST(operations("CompleteMultipartUpload") == 2);
  BOOST_TEST(operations("HeadObject") == 1);
  BOOST_TEST(operations("UploadPart") == 3);
  // All answers lost: it is there.
  fault({{"kind", "lost_answer"}, {"operation", "CompleteMultipartUpload"}, {"count", 5}});
  check_stored(put(bytes), bytes);
  // What is there is something else, as far as its check sum says.
  fault({{"kind", "lost_answer"}, {"operation", "CompleteMultipartUpload"}});
  fault({{"kind", "wrong_crc"}, {"operation", "HeadObject"}});
  const PutResult other = put(bytes);
  BOOST_TEST(!other.stored.has_value());
  BOOST_TEST(other.problem.code == "NoSuchUpload");
  BOOST_TEST(uploads() == 0U);
  // An older object of another length.
  BOOST_TEST(!remove().has_value());
  BOOST_REQUIRE(put("older").stored.has_value());
  fault({{"kind", "status"},
         {"status", 404},
         {"code", "NoSuchUpload"},
         {"operation", "CompleteMultipartUpload"}});
  const PutResult older = put(bytes);
  BOOST_TEST(!older.stored.has_value());
  BOOST_TEST(stored_bytes() == "older");
  BOOST_TEST(uploads() == 0U);
}

BOOST_AUTO_TEST_CASE(a_check_sum_that_differs_leaves_no_object) {
  const std::string small = some_bytes(1000), large = some_bytes(2 * part + 1);
  for (const char* kind : {"wrong_crc", "flip"}) {
    BOOST_TEST_CONTEXT(kind) {
      fault({{"kind", kind}, {"operation", "PutObject"}});
      const PutResult whole = put(small);
      check_not_stored(whole, "crc");
      BOOST_TEST(contains(whole.problem.message, "of the object is ours "));
      fault({{"kind", kind}, {"operation", "UploadPart"}, {"skip", 1}, {"count", 3}});
      check_not_stored(put(large), "crc");
      // One that arrives spoilt is sent again: of thousands one may well be.
      fault({{"kind", kind}, {"operation", "UploadPart"}, {"skip", 1}, {"count", 2}});
      check_stored(put(large), large);
      BOOST_TEST(!remove().has_value());
    }
  }
  fault({{"kind", "wrong_crc"}, {"operation", "CompleteMultipartUpload"}});
  check_not_stored(put(large), "crc");
  // It can't be removed: that is told.
  fault({{"kind", "wrong_crc"}, {"operation", "PutObject"}});
  fault({{"kind", "status"}, {"operation", "DeleteObject"}, {"count", 5}});
  const PutResult left = put(small);
  BOOST_TEST(!left.stored.has_value());
  BOOST_TEST(contains(left.problem.message, "could not be removed"), left.problem.message);
}

BOOST_AUTO_TEST_CASE(what_was_begun_is_undone_when_the_source_breaks) {
  TextSource early(some_bytes(5 * part), 1000);
  BOOST_CHECK_THROW(put(early), SourceBroken);
  TextSource late(some_bytes(5 * part), 3 * part);
  BOOST_CHECK_THROW(put(late), SourceBroken);
  BOOST_TEST(begun.size() == 1U);
  begun_throws = true;
  BOOST_CHECK_THROW(put(some_bytes(5 * part)), std::runtime_error);
  BOOST_TEST(operations("UploadPart") == 2);  // of the late one only
  BOOST_TEST(uploads() == 0U);
  BOOST_TEST(objects().empty());
}

BOOST_AUTO_TEST_CASE(who_lost_the_name_meanwhile_finishes_and_removes_nothing) {
  not_ours_from = 1;
  check_not_stored(put("bytes"), "lost");
  BOOST_TEST(operations("PutObject") == 0);
  asked = 0;
  check_not_stored(put(some_bytes(3 * part)), "lost");
  BOOST_TEST(operations("CompleteMultipartUpload") == 0);
  // Lost between the bytes and the look at their check sum: it may be another one's object by now.
  asked = 0;
  not_ours_from = 2;
  fault({{"kind", "wrong_crc"}, {"operation", "PutObject"}});
  BOOST_TEST(put("bytes").problem.code == "lost");
  BOOST_TEST(operations("DeleteObject") == 0);
  BOOST_TEST(objects().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_part_that_stays_refused_undoes_the_upload) {
  fault({{"kind", "status"}, {"operation", "UploadPart"}, {"skip", 1}, {"probability", 1}});
  check_not_stored(put(some_bytes(4 * part)), "ServiceUnavailable");
  control("DELETE", "faults");
  fault({{"kind", "status"},
         {"status", 403},
         {"code", "AccessDenied"},
         {"operation", "InitiateMultipartUpload"}});
  check_not_stored(put(some_bytes(4 * part)), "AccessDenied", true);
}

BOOST_AUTO_TEST_CASE(an_upload_that_was_left_behind_can_be_aborted) {
  fault({{"kind", "status"}, {"operation", "AbortMultipartUpload"}, {"probability", 1}});
  TextSource source(some_bytes(5 * part), 3 * part);
  BOOST_CHECK_THROW(put(source), SourceBroken);
  BOOST_REQUIRE(begun.size() == 1U);
  BOOST_TEST(uploads() == 1U);
  const auto problem = abort(begun[0]);
  BOOST_REQUIRE(problem.has_value());
  BOOST_TEST(problem->code == "ServiceUnavailable");
  control("DELETE", "faults");
  BOOST_TEST(!abort(begun[0]).has_value());
  BOOST_TEST(uploads() == 0U);
  BOOST_TEST(!abort(begun[0]).has_value());  // fine if there is none any more
}

BOOST_AUTO_TEST_CASE(the_next_put_of_a_name_clears_what_was_left_behind_under_it) {
  fault({{"kind", "status"}, {"operation", "AbortMultipartUpload"}, {"probability", 1}});
  for (int i = 0; i < 2; ++i) {
    TextSource source(some_bytes(5 * part), 3 * part);
    BOOST_CHECK_THROW(put(source), SourceBroken);
  }
  BOOST_TEST(uploads() == 2U);
  control("DELETE", "faults");
  const std::string bytes = some_bytes(5 * part);
  check_stored(put(bytes), bytes);
  // An old one's next part finds nothing any more; who may not list puts all the same.
  fault({{"kind", "status"},
         {"status", 403},
         {"code", "AccessDenied"},
         {"operation", "ListMultipartUploads"}});
  check_stored(put(bytes), bytes);
}

BOOST_AUTO_TEST_CASE(uploads_of_other_names_are_left_alone) {
  const std::string own = name;
  name += ".2";  // begins alike
  fault({{"kind", "status"}, {"operation", "AbortMultipartUpload"}, {"probability", 1}});
  TextSource source(some_bytes(5 * part), 3 * part);
  BOOST_CHECK_THROW(put(source), SourceBroken);
  control("DELETE", "faults");
  name = own;
  BOOST_TEST(put(some_bytes(5 * part)).stored.has_value());
  BOOST_TEST(uploads() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_begins_twice_behind_our_back) {
  // On a connection that is in use already curl would send it again by itself.
  fault({{"kind", "lost_answer"}, {"operation", "InitiateMultipartUpload"}});
  const std::string bytes = some_bytes(2 * part);
  check_stored(put(bytes), bytes);
  BOOST_TEST(begun.size() == 1U);
  BOOST_TEST(operations("InitiateMultipartUpload") == 2);
  BOOST_TEST(operations("AbortMultipartUpload") == 1);
}

BOOST_AUTO_TEST_CASE(a_bucket_that_is_away_is_no_refusal) {
  control("PUT", "listening", {{"listening", false}});
  const PutResult result = put(some_bytes(2 * part));
  BOOST_TEST(!result.stored.has_value());
  BOOST_TEST(result.problem.code == "network");
  BOOST_TEST(!result.problem.refused);
  control("PUT", "listening", {{"listening", true}});
  const std::string bytes = some_bytes(2 * part);
  check_stored(put(bytes), bytes);
}

BOOST_AUTO_TEST_CASE(whatever_the_network_does_objects_are_whole_and_nothing_stays_half_done) {
  unsigned seed = 1;
  for (const char* kind :
       {"refuse", "cut_request", "lost_answer", "cut_answer", "throttle", "wrong_crc", "flip"}) {
    fault({{"kind", kind}, {"probability", 0.06}, {"seed", ++seed}, {"after", {0, 60'000}}});
  }
  int stored = 0;
  for (unsigned i = 0; i < 60; ++i) {
    const std::string bytes = some_bytes(i % 2 == 0 ? 50'000 : (i % 7) * part + i, i);
    const PutResult result = put(bytes);
    if (!result.stored) continue;
    ++stored;
    BOOST_TEST((stored_bytes() == bytes));
  }
  BOOST_TEST(stored > 20);
  control("DELETE", "faults");
  const std::string bytes = some_bytes(3 * part);
  check_stored(put(bytes), bytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc::test
