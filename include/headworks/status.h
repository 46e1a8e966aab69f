/* status.h - result codes and error messages of every public call.
 *
 * A call that can fail returns hw_status and, where it takes a struct
 * hw_error, fills in a sentence for a person: what was wrong, where, and what
 * would be right. Both are plain values: safe on any thread, owned by the
 * caller, never allocated. */
#ifndef HEADWORKS_STATUS_H
#define HEADWORKS_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HW_API __attribute__((visibility("default")))
#define HW_MUST_USE __attribute__((warn_unused_result))
#define HW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HW_API
#define HW_MUST_USE
#define HW_PRINTF(f, a)
#endif

/* X(code, number, sentence). Numbers are ABI: append only, never renumber. */
#define HW_STATUS_MAP(X)                                       \
  X(HW_OK, 0, "success")                                       \
  X(HW_ENOMEM, 1, "out of memory")                             \
  X(HW_EINVAL, 2, "invalid argument")                          \
  X(HW_ENOTFOUND, 3, "no such thing")                          \
  X(HW_EEXIST, 4, "exists already")                            \
  X(HW_ESTATE, 5, "not allowed in the present state")          \
  X(HW_EIO, 6, "input/output error")                           \
  X(HW_EAGAIN, 7, "no room or nothing to do now, try again")   \
  X(HW_ETIMEOUT, 8, "deadline passed")                         \
  X(HW_ELIMIT, 9, "a configured limit was reached")            \
  X(HW_EPARSE, 10, "malformed input")                          \
  X(HW_ERANGE, 11, "value out of range")                       \
  X(HW_EUNSUPPORTED, 12, "not supported")                      \
  X(HW_EABI, 13, "plugin does not match this Headworks")       \
  X(HW_ECANCELED, 14, "cancelled")                             \
  X(HW_EEVAL, 15, "an expression failed")                      \
  X(HW_ECOMPILE, 16, "the program has errors")

typedef enum hw_status {
#define X(code, number, sentence) code = number,
  HW_STATUS_MAP(X)
#undef X
} hw_status;

#define HW_ERROR_MAX 1024 /* bytes of a message, terminator included */

#define HW_ERROR_CODE_MAX 48

typedef struct hw_error {
  hw_status status;
  char code[HW_ERROR_CODE_MAX]; /* CamelCase word for programs ("UnknownPipelineName"), as in the HTTP API; may be "" */
  char message[HW_ERROR_MAX];
} hw_error;

/* The code's own name ("HW_EINVAL") and sentence; never NULL. */
HW_API const char *hw_status_name(hw_status status);
HW_API const char *hw_status_text(hw_status status);

/* Sets *err (which may be NULL) to a formatted message, cut to fit on a UTF-8
 * boundary, and returns status, so that a failing call ends with
 * `return hw_error_set(err, HW_EINVAL, "...")`. The second form sets the code
 * too; the first leaves it empty. */
HW_API hw_status hw_error_set(hw_error *err, hw_status status, const char *fmt, ...) HW_PRINTF(3, 4);
/* Adds a fault to those that *err has, if any: "first; second". Its status stays the
 * first one's; what does not fit is cut. Returns err's status, or status without err. */
HW_API hw_status hw_error_add(hw_error *err, hw_status status, const char *fmt, ...) HW_PRINTF(3, 4);
HW_API hw_status hw_error_code(hw_error *err, hw_status status, const char *code, const char *fmt, ...)
    HW_PRINTF(4, 5);

#ifdef __cplusplus
}
#endif
#endif
