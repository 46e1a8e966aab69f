/* value.h - values to text and back, by the rules all formats and casts share.
 *
 * All functions are pure: any thread, no allocation, no locale. Parsing takes
 * exactly data[0 .. len): trailing bytes are an error. Ranges and spellings are
 * written down in docs/values.md. */
#ifndef HEADWORKS_VALUE_H
#define HEADWORKS_VALUE_H

#include <headworks/status.h>
#include <headworks/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* HW_OK, HW_EPARSE (not of this form) or HW_ERANGE (does not fit). No leading
 * or trailing blanks are allowed. */
HW_API hw_status hw_parse_bool(const char *data, size_t len, bool *out);     /* true, false, any case */
HW_API hw_status hw_parse_i64(const char *data, size_t len, int64_t *out);   /* -?[0-9]+ */
HW_API hw_status hw_parse_u64(const char *data, size_t len, uint64_t *out);
/* JSON's number grammar, plus a leading '+', "NaN", "Infinity", "-Infinity";
 * correctly rounded. Out of range gives HW_ERANGE. */
HW_API hw_status hw_parse_f64(const char *data, size_t len, double *out);
HW_API hw_status hw_parse_f32(const char *data, size_t len, float *out);
/* Number text, exponent allowed, to a decimal of this precision and scale;
 * digits past scale are rounded half away from zero. */
HW_API hw_status hw_parse_decimal(const char *data, size_t len, unsigned precision, unsigned scale, hw_int128 *out);
HW_API hw_status hw_parse_date(const char *data, size_t len, int32_t *out);      /* YYYY-MM-DD */
HW_API hw_status hw_parse_time(const char *data, size_t len, int64_t *out);      /* HH:MM[:SS[.fraction]] */
/* YYYY-MM-DD[(T| )HH:MM[:SS[.fraction]]][Z|±HH[[:]MM]]; no zone means UTC. */
HW_API hw_status hw_parse_timestamp(const char *data, size_t len, int64_t *out);
HW_API hw_status hw_parse_uuid(const char *data, size_t len, hw_uuid *out);      /* 8-4-4-4-12 or 32 hex digits */

/* Text to a value of any type, stored at slot as in a column's array (see
 * hw_type_id). HW_OK, HW_EPARSE or HW_ERANGE. String types get a hw_str that
 * borrows data, which must be UTF-8 for text (see below); longer than the type's
 * bound is HW_ERANGE, and HW_EAGAIN says that a CHAR still has to be padded with
 * blanks to the type's length. */
HW_API hw_status hw_value_parse(const hw_type *type, const char *data, size_t len, void *slot);

#define HW_VALUE_TEXT_MAX 64 /* bytes any non-string value needs as text */

/* Writes text at out (HW_VALUE_TEXT_MAX bytes of room; not terminated), returns
 * its length. Doubles and floats: the shortest text that reads back the same. */
HW_API size_t hw_format_i64(int64_t v, char *out);
HW_API size_t hw_format_u64(uint64_t v, char *out);
HW_API size_t hw_format_f64(double v, char *out); /* "NaN", "Infinity", "-Infinity" where it is none */
HW_API size_t hw_format_f32(float v, char *out);
HW_API size_t hw_format_decimal(hw_int128 v, unsigned scale, char *out); /* plain digits, trailing zeros kept */
HW_API size_t hw_format_date(int32_t v, char *out);
HW_API size_t hw_format_time(int64_t v, char *out);      /* HH:MM:SS[.fraction without trailing zeros] */
HW_API size_t hw_format_timestamp(int64_t v, char *out); /* YYYY-MM-DD HH:MM:SS[.fraction]: UTC */
HW_API size_t hw_format_uuid(const hw_uuid *v, char *out);
/* The value at slot, of any non-string type, as above. */
HW_API size_t hw_value_format(const hw_type *type, const void *slot, char *out);

/* UTF-8: whether data is well-formed (no surrogates, no overlong forms), and
 * the number of characters in well-formed text. */
HW_API bool hw_utf8_valid(const char *data, size_t len);
HW_API size_t hw_utf8_length(const char *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
