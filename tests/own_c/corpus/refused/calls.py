"""Kinds 5 and 6: cells that do not compile, each with what the reader must be told."""

from own_c.corpus.example import Rejected

REJECTED = [
    Rejected("implicit_strdup.c", ("strdup", "#include <string.h>"), 5),
    Rejected("implicit_sqrt.c", ("sqrt", "#include <math.h>"), 3),
    Rejected("implicit_posix.c", ("usleep", "#include <unistd.h>"), 6),
    Rejected("misspelt.c", ("pritnf",), 6),
    Rejected("unknown_uint64.c", ("uint64_t", "#include <stdint.h>"), 1),
    Rejected("unknown_bool.c", ("bool", "#include <stdbool.h>"), 3),
    Rejected("unknown_file.c", ("FILE", "#include <stdio.h>"), 3),
    Rejected("undeclared_pi.c", ("M_PI", "#include <math.h>"), 3),
    Rejected("undeclared_null.c", ("NULL", "#include <"), 3),
    Rejected("undeclared_clock.c", ("CLOCK_MONOTONIC", "#include <time.h>"), 5),
    Rejected("undeclared_name.c", ("total",), 6),
    Rejected("missing_parenthesis.c", ("expected",), 3),
    Rejected("missing_definition.c", ("helper",), 5),
    Rejected("inline_helper.c", ("square", "static inline"), 9),
    Rejected("missing_header.c", ("matrix_utils.h",), 2),
    Rejected("wrong_call.c", ("too few arguments",), 5),
    Rejected("cpp_iostream.c", ("C++", "iostream"), 1),
    Rejected("cpp_vector.c", ("C++",), 1),
    Rejected("cpp_class.c", ("C++", "class"), 2),
    Rejected("cpp_template.c", ("C++", "template"), 1),
    Rejected("cpp_reference.c", ("C++", "&a"), 1),
    Rejected("cpp_new.c", ("C++", "new double"), 3),
    Rejected("not_c.c", ("def",), 1),
    Rejected("static_assertion.c", ("long must have three bytes",), 3),
    Rejected("error_directive.c", ("compile with -DSPECIAL_FLAG",), 2),
]
