/* simd.h - what is compiled once for each instruction set.
 *
 * DESIGN
 * Parsers and encoders, with the vector kernels (scan.h) inlined into their loops,
 * are compiled again and again from the same files: with HW_SIMD=portable for every
 * machine, and for the sets of the machine at hand with the compiler's flags for
 * each (Makefile.am: libhwformats_*). formats.h picks one of the results when the
 * process first asks for formats; the descriptors of that one are registered, so
 * that nothing is decided again afterwards, neither by record nor by batch.
 *
 * Each result has its own names for whatever one of its files calls in another:
 * those below get the set's name behind them. A name that is left out here is
 * defined twice, and the linker says so.
 *
 * Rejected: a pointer per kernel, whose call costs more than the kernel does; a
 * pointer per row, which the calls between the strict and the fast readers would
 * have to go through, too; the compiler's clones of functions, which do not reach
 * what is inlined into them. */
#ifndef FORMATS_SIMD_H
#define FORMATS_SIMD_H

#ifdef HW_SIMD

#define SIMD_JOIN(name, set) name##_##set
#define SIMD_OF(name, set) SIMD_JOIN(name, set)
#define SIMD_NAME(name) SIMD_OF(name, HW_SIMD)
#define SIMD_QUOTE(text) #text
#define SIMD_FILE(path) SIMD_QUOTE(path)

#define formats_set_here SIMD_NAME(formats_set)
#define format_json SIMD_NAME(format_json)
#define format_csv SIMD_NAME(format_csv)
#define format_raw SIMD_NAME(format_raw)
#define format_msgpack SIMD_NAME(format_msgpack)

#define json_encoder_ops SIMD_NAME(json_encoder_ops)
#define json_encoder_options SIMD_NAME(json_encoder_options)
#define json_read_row SIMD_NAME(json_read_row)
#define json_read_separator SIMD_NAME(json_read_separator)
#define json_fault_too_many SIMD_NAME(json_fault_too_many)
#define json_read_key SIMD_NAME(json_read_key)
#define json_read_part SIMD_NAME(json_read_part)
#define json_read_value SIMD_NAME(json_read_value)
#define json_read_number SIMD_NAME(json_read_number)
#define json_read_word SIMD_NAME(json_read_word)
#define json_read_event SIMD_NAME(json_read_event)
#define json_flavor_takes SIMD_NAME(json_flavor_takes)
#define json_put_flavored SIMD_NAME(json_put_flavored)
#define json_read_span SIMD_NAME(json_read_span)
#define json_find_stop SIMD_NAME(json_find_stop)
#define json_check_escape SIMD_NAME(json_check_escape)
#define json_unescape SIMD_NAME(json_unescape)
#define json_read_short SIMD_NAME(json_read_short)
#define json_skip_value SIMD_NAME(json_skip_value)
#define json_skip_brackets SIMD_NAME(json_skip_brackets)
#define json_fault SIMD_NAME(json_fault)
#define json_wait_for SIMD_NAME(json_wait_for)
#define json_wait_over SIMD_NAME(json_wait_over)

#define csv_encoder_ops SIMD_NAME(csv_encoder_ops)
#define csv_encoder_options SIMD_NAME(csv_encoder_options)
#define csv_read_records SIMD_NAME(csv_read_records)
#define csv_read_value SIMD_NAME(csv_read_value)
#define csv_read_text SIMD_NAME(csv_read_text)
#define csv_line_end SIMD_NAME(csv_line_end)
#define csv_skip_record SIMD_NAME(csv_skip_record)
#define csv_skip_on SIMD_NAME(csv_skip_on)

#endif
#endif
