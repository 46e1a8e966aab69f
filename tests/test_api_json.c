/* The pieces under the HTTP API: growing buffers, JSON text, URLs, hosts. */
#include "api/json_write.h"
#include "api/url.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- JSON ----------------------------------------------------------------- */

static void expect_text(const char *bytes, size_t len, const char *json) {
  outbuf out = {0};
  json_writer w;
  jw_begin(&w, &out);
  jw_text(&w, bytes, len);
  outbuf_add_char(&out, '\0');
  ck_assert_str_eq(out.data, json);
  outbuf_fini(&out);
}

START_TEST(text_is_escaped) {
  expect_text("", 0, "\"\"");
  expect_text("plain", 5, "\"plain\"");
  expect_text("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
  expect_text("\b\t\n\v\f\r", 6, "\"\\b\\t\\n\\u000b\\f\\r\"");
  expect_text("\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\"");
  expect_text("h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10, "\"h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}
END_TEST

START_TEST(broken_utf8_is_replaced) {
  expect_text("a\xff"
              "b",
              3,
              "\"a\xef\xbf\xbd"
              "b\"");
  expect_text("\xc3", 1, "\"\xef\xbf\xbd\"");                                 /* cut short */
  expect_text("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");                 /* overlong */
  expect_text("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* surrogate */
  expect_text("\xe2\x82\"", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"");           /* swallows nothing */
}
END_TEST

START_TEST(values_and_commas) {
  outbuf out = {0};
  json_writer w;
  jw_begin(&w, &out);
  jw_object(&w);
  jw_key(&w, "a");
  jw_array(&w);
  jw_u64(&w, UINT64_MAX);
  jw_i64(&w, INT64_MIN);
  jw_bool(&w, true);
  jw_null(&w);
  jw_array(&w);
  jw_array_end(&w);
  jw_array_end(&w);
  jw_key_string(&w, "b", NULL);
  jw_key_text(&w, "q\"");
  jw_object(&w);
  jw_object_end(&w);
  jw_key_time(&w, "t", 1767319385123456);
  jw_key_time(&w, "e", 0);
  jw_object_end(&w);
  outbuf_add_char(&out, '\0');
  ck_assert_str_eq(out.data, "{\"a\":[18446744073709551615,-9223372036854775808,true,null,[]],\"b\":null,\"q\\\"\":{},"
                             "\"t\":\"2026-01-02T02:03:05.123456Z\",\"e\":\"1970-01-01T00:00:00Z\"}");
  outbuf_fini(&out);
}
END_TEST

START_TEST(buffer_grows_and_remembers_failure) {
  outbuf b = {0};
  for (int i = 0; i < 100000; i++) outbuf_printf(&b, "%d,", i);
  ck_assert(!b.failed);
  ck_assert_uint_eq(b.len, 588890);
  ck_assert(!outbuf_grow(&b, SIZE_MAX / 2));
  outbuf_add_str(&b, "dropped");
  ck_assert(b.failed);
  outbuf_reset(&b, 0);
  ck_assert(!b.failed && b.len == 0 && b.capacity == 0);
  outbuf_fini(&b);
}
END_TEST

/* ---- URLs ----------------------------------------------------------------- */

/* Joins the parts as "seg|seg?name=value&...", or "!" where it is refused. */
static void expect_url(const char *url, const char *parts) {
  char *text = strdup(url), joined[512] = "";
  url_target t;
  size_t used = 0;
  if (url_parse(text, &t)) {
    ck_assert_msg(strcmp(parts, "!") == 0, "%s was refused", url);
    free(text);
    return;
  }
  for (unsigned i = 0; i < t.n_segments; i++)
    used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", i ? "|" : "", t.segments[i]);
  for (unsigned i = 0; i < t.n_query; i++)
    used += (size_t)snprintf(joined + used, sizeof joined - used, "%c%s=%s", i ? '&' : '?', t.query[i].name,
                             t.query[i].value);
  ck_assert_msg(strcmp(joined, parts) == 0, "%s gave %s instead of %s", url, joined, parts);
  free(text);
}

START_TEST(url_parts) {
  expect_url("/", "");
  expect_url("/v0/pipelines", "v0|pipelines");
  expect_url("/v0/pipelines/", "v0|pipelines|");
  expect_url("//a", "|a");
  expect_url("/a/%22T%22/b", "a|\"T\"|b");
  expect_url("/a%2Fb/c", "a/b|c");
  expect_url("/a+b?c+d=e+f&g", "a+b?c d=e f&g=");
  expect_url("/a?x=1&&x=%26%3D", "a?x=1&x=&=");
  expect_url("/a?x=1?2", "a?x=1?2");
  expect_url("http://localhost:8080/v0/x?y=z", "v0|x?y=z");
  expect_url("HTTP://localhost", "");
  expect_url("http://localhost?y=z", "?y=z");
  expect_url("https://localhost:8443/v0", "v0");
  expect_url("/%e2%82%ac", "\xe2\x82\xac");
}
END_TEST

START_TEST(urls_that_are_refused) {
  static const char *const urls[] = {"",
                                     "*",
                                     "v0",
                                     "ftp://localhost/",
                                     "/%",
                                     "/%4",
                                     "/%zz",
                                     "/%00",
                                     "/%ff",
                                     "/%ed%a0%80",
                                     "/a?x=%",
                                     "/a?%g0=1",
                                     "/a#b",
                                     "/a?x#b",
                                     "/%c0%af",
                                     "/a\tb",
                                     "/\xe2\x82\xac"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) expect_url(urls[i], "!");
}
END_TEST

START_TEST(too_many_parts) {
  outbuf deep = {0}, wide = {0};
  url_target t;
  for (int i = 0; i < URL_MAX_SEGMENTS + 1; i++) outbuf_add_str(&deep, "/x");
  outbuf_add_char(&deep, '\0');
  ck_assert_ptr_null(url_parse(deep.data, &t));
  ck_assert_uint_eq(t.n_segments, 0);
  outbuf_add_str(&wide, "/a?");
  for (int i = 0; i < URL_MAX_QUERY + 1; i++) outbuf_add_str(&wide, "x&");
  outbuf_add_char(&wide, '\0');
  ck_assert_ptr_nonnull(url_parse(wide.data, &t));
  outbuf_fini(&deep);
  outbuf_fini(&wide);
}
END_TEST

static bool local(const char *host) { return url_host_is_local(host, strlen(host), 8080); }

START_TEST(hosts) {
  static const char *const ours[] = {"localhost",         "LocalHost:8080", "127.0.0.1", "127.0.0.1:8080",
                                     "127.255.1.2:08080", "[::1]",          "[::1]:8080"};
  static const char *const foreign[] = {"",
                                        "example.com",
                                        "example.com:8080",
                                        "localhost:80",
                                        "localhost:",
                                        "localhost.",
                                        "127.0.0.1.x",
                                        "127.1",
                                        "128.0.0.1",
                                        "0.0.0.0",
                                        "[::1",
                                        "[::1]x",
                                        "[::2]",
                                        "::1",
                                        "[::1]:80801",
                                        "localhost:8080x",
                                        "localhost.example.com",
                                        "x@localhost",
                                        "127.0.0.1:8080:8080",
                                        "[::ffff:127.0.0.1]",
                                        "localhost:99999999999999999999"};
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) ck_assert_msg(local(ours[i]), "%s", ours[i]);
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) ck_assert_msg(!local(foreign[i]), "%s", foreign[i]);
}
END_TEST

START_TEST(origins) {
  ck_assert(url_authority_is_local("localhost:8080", 8080, 80));
  ck_assert(url_authority_is_local("127.0.0.1", 80, 80));
  ck_assert(!url_authority_is_local("localhost", 8080, 80));
  ck_assert(!url_authority_is_local("localhost:3000", 8080, 80));
  ck_assert(!url_authority_is_local("localhost", 8443, 443));
  ck_assert(!url_authority_is_local("null", 8080, 80));
  ck_assert(!url_authority_is_local("evil.example", 8080, 80));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_json");
  TCase *json = tcase_create("json"), *url = tcase_create("url");
  tcase_add_test(json, text_is_escaped);
  tcase_add_test(json, broken_utf8_is_replaced);
  tcase_add_test(json, values_and_commas);
  tcase_add_test(json, buffer_grows_and_remembers_failure);
  tcase_add_test(url, url_parts);
  tcase_add_test(url, urls_that_are_refused);
  tcase_add_test(url, too_many_parts);
  tcase_add_test(url, hosts);
  tcase_add_test(url, origins);
  suite_add_tcase(suite, json);
  suite_add_tcase(suite, url);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
