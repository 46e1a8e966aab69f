// simdjson_rows.cpp - the peer of parse_bench: the same rows with simdjson's on-demand parser, every field read to
// the type that the column has there, strings unescaped, values stored by column.
//
//   simdjson_rows ROWS.ndjson [REPEATS] [--any-order]
//
// By default fields are asked for in the order in which they stand, which simdjson is fastest at;
// --any-order uses its look-up that allows for another order. Prints one JSON object as parse_bench does, with
// the same sums when the same rows were read.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <simdjson.h>
#include <string_view>

using simdjson::ondemand::object;

namespace {
constexpr size_t rows_max = 4096;  // of a batch
constexpr size_t text_max = 16 << 20;
constexpr size_t window = 1 << 20;  // bytes that simdjson looks at in one stage

struct columns {
  size_t n = 0;
  int64_t id[rows_max], ts[rows_max];
  std::string_view user[rows_max], country[rows_max], note[rows_max];
  double amount[rows_max];
  int32_t qty[rows_max];
  bool ok[rows_max];
};

struct sums {
  uint64_t rows = 0, numbers = 0, texts = 0;
};

[[noreturn]] void die(const char *what) {
  std::fprintf(stderr, "simdjson_rows: %s\n", what);
  std::exit(1);
}

double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + double(t.tv_nsec) / 1e9;
}

int two(const char *p) { return (p[0] - '0') * 10 + p[1] - '0'; }

// "YYYY-MM-DDTHH:MM:SS.mmmZ" as microseconds since 1970; digits and marks are checked as they are there.
int64_t instant(std::string_view s) {
  if (s.size() != 24) die("a timestamp of another form");
  static const char form[] = "0000-00-00T00:00:00.000Z";
  for (int i = 0; i < 24; i++)
    if (form[i] == '0' ? unsigned(s[i] - '0') > 9 : s[i] != form[i]) die("a timestamp of another form");
  const char *p = s.data();
  int64_t year = two(p) * 100 + two(p + 2), month = two(p + 5), day = two(p + 8);
  year -= month <= 2;  // days from the civil calendar: years begin in March
  int64_t era = year / 400, of_era = year % 400, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  int64_t seconds = days * 86400 + two(p + 11) * 3600 + two(p + 14) * 60 + two(p + 17);
  return (seconds * 1000 + (p[20] - '0') * 100 + two(p + 21)) * 1000;
}

uint64_t text_sum(std::string_view s) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  if (!s.data()) return 0;
  for (unsigned char c : s) h = (h ^ c) * UINT64_C(0x100000001b3);
  return h;
}

// NULL counts as nothing: what is not there is stored as such a value.
void add(sums &sum, const columns &c) {
  for (size_t i = 0; i < c.n; i++) {
    uint64_t bits;
    std::memcpy(&bits, &c.amount[i], sizeof bits);
    sum.numbers += uint64_t(c.id[i]) + uint64_t(c.ts[i]) * 3 + bits * 9 + uint64_t(c.qty[i]) * 11 + c.ok[i] * 13;
    sum.texts += text_sum(c.user[i]) * 5 + text_sum(c.country[i]) * 7 + text_sum(c.note[i]) * 15;
  }
  sum.rows += c.n;
}

// The field's value, or `none` when it is not there.
template <bool any_order, typename T> T get(object &row, const char *name, T none) {
  simdjson::simdjson_result<simdjson::ondemand::value> field;
  if constexpr (any_order) field = row.find_field_unordered(name);
  else field = row.find_field(name);
  T value;
  auto error = field.get(value);
  if (error == simdjson::NO_SUCH_FIELD) return none;
  if (error) die("a value of another type");
  return value;
}

template <bool any_order> void read_row(object row, columns &c) {
  size_t i = c.n++;
  c.id[i] = get<any_order>(row, "id", int64_t(0));
  auto ts = get<any_order>(row, "ts", std::string_view());
  c.ts[i] = ts.data() ? instant(ts) : 0;
  c.user[i] = get<any_order>(row, "user", std::string_view());
  c.country[i] = get<any_order>(row, "country", std::string_view());
  c.amount[i] = get<any_order>(row, "amount", 0.0);
  c.qty[i] = int32_t(get<any_order>(row, "qty", int64_t(0)));
  c.ok[i] = get<any_order>(row, "ok", false);
  c.note[i] = get<any_order>(row, "note", std::string_view());
}

// simdjson keeps unescaped strings in a buffer that ends with the window, so what is summed up is so at once.
template <bool any_order> void pass(simdjson::ondemand::parser &parser, const simdjson::padded_string &text, columns &c, sums *sum) {
  simdjson::ondemand::document_stream stream;
  if (parser.iterate_many(text, window).get(stream)) die("the stream cannot be read");
  for (auto doc : stream) {
    c.n = sum || c.n == rows_max ? 0 : c.n;
    read_row<any_order>(doc.get_object(), c);
    if (sum) add(*sum, c);
  }
}
}  // namespace

int main(int argc, char **argv) {
  bool any_order = argc > 3 && std::strcmp(argv[3], "--any-order") == 0;
  if (argc < 2) die("usage: simdjson_rows ROWS.ndjson [REPEATS] [--any-order]");
  int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  auto text = simdjson::padded_string::load(argv[1]);
  if (text.error()) die("the file cannot be read");
  simdjson::ondemand::parser parser;
  auto c = std::make_unique<columns>();
  auto run = [&](sums *sum) {
    if (any_order) pass<true>(parser, text.value_unsafe(), *c, sum);
    else pass<false>(parser, text.value_unsafe(), *c, sum);
  };
  sums sum;
  run(&sum);
  std::printf("{\"what\":\"parse\",\"format\":\"json\",\"peer\":\"simdjson %s, %s\",\"rows\":%" PRIu64 ",\"bytes\":%zu,\"seconds\":[",
              SIMDJSON_STRINGIFY(SIMDJSON_VERSION), simdjson::get_active_implementation()->name().c_str(), sum.rows,
              text.value_unsafe().size());
  for (int i = 0; i < repeats; i++) {
    double began = now();
    run(nullptr);
    std::printf("%s%.6f", i ? "," : "", now() - began);
  }
  std::printf("],\"sums\":\"%" PRIx64 "-%" PRIx64 "\"}\n", sum.numbers, sum.texts);
}
