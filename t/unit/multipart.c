
/*
 * multipart/form-data without nginx: forms that are read and such that are
 * refused, each in pieces of every kind, and damaged ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_form.c"
#include "ngx_http_flowdash_form_name.c"
#include "ngx_http_flowdash_form_index.c"
#include "ngx_http_flowdash_form_task.c"
#include "ngx_http_flowdash_form_urlencoded.c"
#include "ngx_http_flowdash_form_check.c"
#include "ngx_http_flowdash_form_edit.c"
#include "ngx_http_flowdash_multipart_media.c"
#include "ngx_http_flowdash_multipart_state.c"
#include "ngx_http_flowdash_multipart_filename.c"
#include "ngx_http_flowdash_multipart_part.c"
#include "ngx_http_flowdash_multipart.c"


#define TEST_TEXT  65536
#define TEST_MAX   20000


/* the pieces that a form is fed in */

#define TEST_WHOLE   0
#define TEST_BYTES   1
#define TEST_RANDOM  2


typedef struct {
    const char  *name;
    const char  *body;
    size_t       len;
    const char  *wanted;       /* see result() */
    size_t       wanted_len;
} test_case_t;


typedef struct {
    const char  *type;
    const char  *wanted;       /* the boundary, or NULL */
} test_boundary_t;


/* "B" is the boundary, and "issue" the pointer */

#define D        "--B\r\n"
#define E        "\r\n--B--\r\n"
#define CD       "Content-Disposition: form-data"
#define P(n, v)  D CD "; name=\"" n "\"\r\n\r\n" v "\r\n"
#define A        P("issue[a]", "1")
#define H(h)     D h "\r\n\r\nx" E
#define F(p)     H(CD "; name=\"issue[f]\"; " p)
#define X(h)     H(CD "; name=\"issue[a]\"\r\n" h)
#define Y(h)     H(CD "; name=\"other\"\r\n" h)
#define Z(h)     H(CD "; name=\"issue[f]\"; filename=\"n\"\r\n" h)
#define T(name, body, wanted)                                                 \
    { name, body, sizeof(body) - 1, wanted, sizeof(wanted) - 1 }

#define SIXTEEN  "0123456789abcdef"
#define K256     SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN      \
                 SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN      \
                 SIXTEEN SIXTEEN
#define K4       K256 K256 K256 K256 K256 K256 K256 K256 K256 K256 K256 K256  \
                 K256 K256 K256 K256


static test_case_t  cases[] = {

    /* read */

    T("a field", A "--B--\r\n", "issue[a]=1;"),
    T("nothing after the end", A "--B--", "issue[a]=1;"),
    T("blanks after the end", A "--B-- \t\r\n\n", "issue[a]=1;"),
    T("an empty line first", "\r\n" A "--B--", "issue[a]=1;"),
    T("no parts", "--B--\r\n", "empty;"),
    T("no parts, an empty line first", "\r\n--B--", "empty;"),
    T("an empty value", P("issue[a]", "") "--B--", "issue[a]=;"),
    T("only line ends", P("issue[a]", "\r\n\r\n") "--B--",
      "issue[a]=\r\n\r\n;"),
    T("odd line ends", P("issue[a]", "\r\r\n\n-\r\n--\n--\r-\n\r") "--B--",
      "issue[a]=\r\r\n\n-\r\n--\n--\r-\n\r;"),
    T("dashes", P("issue[a]", "-----\r\n-----\r\n-- B\r\n--b") "--B--",
      "issue[a]=-----\r\n-----\r\n-- B\r\n--b;"),
    T("fields and others", A P("other", "\xff") P("issue[b][c]", "2")
      P("issue[d][]", "3") P("issue[d][]", "4") "--B--",
      "issue[a]=1;issue[b][c]=2;issue[d][]=3;issue[d][]=4;"),
    T("UTF-8", P("issue[\xc3\xa9]", "\xe2\x82\xac") "--B--",
      "issue[\xc3\xa9]=\xe2\x82\xac;"),
    T("a large value", P("issue[a]", K4 K256) P("issue[b]", K256) "--B--",
      "issue[a]=" K4 K256 ";issue[b]=" K256 ";"),
    T("an escaped name", P("issue[%22%0D%0A]", "1") "--B--",
      "issue[%22%0D%0A]=1;"),
    T("a token", H("content-disposition:FORM-DATA;NAME=issue"),
      "MALFORMED a value where the task should be"),
    T("spellings", H("content-disposition:Form-Data ;\tNAME=\"issue[a]\" ; "),
      "issue[a]=x;"),
    T("another parameter", F("x=y; z=\"a;b\""), "issue[f]=x;"),
    T("a Content-Type", X("Content-Type: text/plain; charset=\"UTF-8\""),
      "issue[a]=x;"),
    T("an empty Content-Type", X("Content-Type:"), "issue[a]=x;"),
    T("an encoding", X("Content-Transfer-Encoding: 8BIT"), "issue[a]=x;"),
    T("a coding", X("Content-Encoding: Identity"), "issue[a]=x;"),
    T("another header", X("X-Y:  z"), "issue[a]=x;"),
    T("a file", Z("Content-Type: a/b;c"), "issue[f]<n|a/b;c>x;"),
    T("a file of bytes", D CD "; name=\"issue[f]\"; filename=\"n\"\r\n\r\n"
      "\0\xff\r\n\0\n" E, "issue[f]<n|>\0\xff\r\n\0\n;"),
    T("a file that is none", D CD "; name=\"issue[f]\"; filename=\"\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" E,
      "issue[f]<|application/octet-stream>;"),
    T("an escaped filename", F("filename=\"%22%0d%0A%41%2\""),
      "issue[f]<\"\r\n%41%2|>x;"),
    T("a path as filename", F("filename=\"C:\\x\\y\""),
      "issue[f]<C:\\x\\y|>x;"),
    T("filename*", F("filename*=utf-8'en'a%20%e2%82%ac"),
      "issue[f]<a \xe2\x82\xac|>x;"),
    T("both", F("filename*=UTF-8''b; filename=a"), "issue[f]<a|>x;"),
    T("bytes of others", Y("Content-Type: text/plain"), ""),
    T("a file of others", H(CD "; name=\"o\"; filename=\"\xff\"\r\n"
      "Content-Transfer-Encoding: base64\r\nContent-Encoding: gzip"), ""),
    T("_charset_", P("_charset_", "UTF-8") A "--B--", "issue[a]=1;"),

    /* delimiters */

    T("nothing", "", "MALFORMED the closing delimiter is missing"),
    T("a preamble", "x\r\n" A "--B--",
      "MALFORMED no delimiter at its beginning"),
    T("two empty lines", "\r\n\r\n" A "--B--",
      "MALFORMED no delimiter at its beginning"),
    T("a bare LF first", "\n" A "--B--",
      "MALFORMED no delimiter at its beginning"),
    T("a bare CR first", "\r" A "--B--",
      "MALFORMED no delimiter at its beginning"),
    T("another delimiter", "--b\r\n", "MALFORMED no delimiter at its "
      "beginning"),
    T("no end", A "--B\r\n", "MALFORMED the closing delimiter is missing"),
    T("half an end", A "--B-", "MALFORMED the closing delimiter is missing"),
    T("something after", A "--B--\r\nx",
      "MALFORMED something behind the closing delimiter"),
    T("a part after", A "--B--\r\n" A,
      "MALFORMED something behind the closing delimiter"),
    T("a bare LF after", A "--B\nx",
      "MALFORMED a line that begins with the delimiter"),
    T("a bare CR after", A "--B\rx",
      "MALFORMED a line that begins with the delimiter"),
    T("a blank after", A "--B \r\n",
      "MALFORMED a line that begins with the delimiter"),
    T("a longer line", A "--BB\r\n",
      "MALFORMED a line that begins with the delimiter"),
    T("a dash after", A "--B-\r\n",
      "MALFORMED a line that begins with the delimiter"),
    T("a bare LF before", P("issue[a]", "1\n--B"),
      "MALFORMED a delimiter behind a bare line feed"),
    T("LF LF before", P("o", "\n--B"),
      "MALFORMED a delimiter behind a bare line feed"),
    T("a bare CR before", P("o", "1\r--B"),
      "MALFORMED a delimiter inside of a line"),
    T("inside of a line", P("issue[a]", "1--B"),
      "MALFORMED a delimiter inside of a line"),
    T("dashes before", P("issue[a]", "\r\n---B"),
      "MALFORMED a delimiter inside of a line"),
    T("no content", D CD "; name=\"o\"\r\n\r\n--B--",
      "MALFORMED a part without content"),

    /* headers */

    T("no headers", D "\r\nx" E,
      "MALFORMED a part has not exactly one Content-Disposition"),
    T("no disposition", H("X: y"),
      "MALFORMED a part has not exactly one Content-Disposition"),
    T("two dispositions", Y(CD "; name=\"b\""),
      "MALFORMED a part has not exactly one Content-Disposition"),
    T("a disposition inside", Y("X: " CD "; name=\"b\""),
      "MALFORMED a part has not exactly one Content-Disposition"),
    T("only one inside", H("X-" CD "; name=\"b\""),
      "MALFORMED a part has a Content-Disposition other than form-data"),
    T("a bare LF", H("X: y\nZ: z"),
      "MALFORMED half of a line end in the headers of a part"),
    T("a bare CR", H("X: y\rZ: z"),
      "MALFORMED half of a line end in the headers of a part"),
    T("a bare LF at once", D "\n",
      "MALFORMED half of a line end in the headers of a part"),
    T("NUL", Y("X: \0"),
      "MALFORMED a control character in the headers of a part"),
    T("DEL", Y("X: \x7f"),
      "MALFORMED a control character in the headers of a part"),
    T("a delimiter in a header", Y("X: y--B--"),
      "MALFORMED a delimiter in the headers of a part"),
    T("a delimiter for a header", Y("--B: y"),
      "MALFORMED a delimiter in the headers of a part"),
    T("a delimiter in a name", H(CD "; name=\"issue[--B]\""),
      "MALFORMED a delimiter in the headers of a part"),
    T("a boundary in a name", P("issue[-B]", "1") "--B--", "issue[-B]=1;"),
    T("folded", Y("X: y\r\n z"), "MALFORMED a part has a folded header"),
    T("folded at once", H(" " CD "; name=\"a\""),
      "MALFORMED a part has a folded header"),
    T("no colon", Y("X"),
      "MALFORMED a part has a header without a proper name"),
    T("a blank before the colon", Y("X : y"),
      "MALFORMED a part has a header without a proper name"),
    T("an empty header name", Y(": y"),
      "MALFORMED a part has a header without a proper name"),
    T("too large", Y("X: " K4 K4 K4 K4),
      "LARGE a part has too large headers"),
    T("two Content-Types", Y("Content-Type: a/b\r\ncontent-type: a/b"),
      "MALFORMED a part has a header twice"),
    T("two encodings", Y("Content-Transfer-Encoding: 8bit\r\n"
      "Content-Transfer-Encoding: 8bit"),
      "MALFORMED a part has a header twice"),
    T("an attachment", H("Content-Disposition: attachment; name=\"a\""),
      "MALFORMED a part has a Content-Disposition other than form-data"),
    T("an empty disposition", H("Content-Disposition:"),
      "MALFORMED a part has a Content-Disposition other than form-data"),
    T("no name", H(CD), "MALFORMED a part has no name"),
    T("an empty name", H(CD "; name=\"\""), "MALFORMED a part has no name"),
    T("a filename alone", H(CD "; filename=\"a\""),
      "MALFORMED a part has no name"),
    T("two names", F("name=\"b\""),
      "MALFORMED a part has a name or filename twice"),
    T("two filenames", F("filename=\"\"; filename=b"),
      "MALFORMED a part has a name or filename twice"),
    T("two filename*", F("filename*=utf-8''b; filename*=utf-8''b"),
      "MALFORMED a part has a name or filename twice"),
    T("name*", F("name*=utf-8''b"),
      "MALFORMED a part has an ambiguous parameter"),
    T("name*0", H(CD "; name*0=\"issue[a]\""),
      "MALFORMED a part has an ambiguous parameter"),
    T("filename*0", F("filename*0=b"),
      "MALFORMED a part has an ambiguous parameter"),
    T("a single quote", F("x=it's"),
      "MALFORMED a part has an ambiguous parameter"),
    T("a backslash", H(CD "; name=\"a\\b\""),
      "MALFORMED a part has a backslash in its name"),
    T("an escaped quote", F("filename=\"a\\\"b\""),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("an escaped backslash", F("filename=\"a\\\\b\""),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("a backslash last", F("filename=\"a\\\""),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("no closing quote", F("filename=\"a"),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("no value", F("filename"),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("an empty token", F("filename="),
      "MALFORMED a part has an ambiguous Content-Disposition"),
    T("no token", F("filename=a/b"),
      "MALFORMED a part has an ambiguous Content-Disposition"),
    T("blanks around =", F("filename =a"),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("blanks after =", F("filename= a"),
      "MALFORMED a part has an ambiguous Content-Disposition"),
    T("garbage after a quote", F("filename=\"a\"b"),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("garbage after a blank", F("filename=a b"),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("a comma", H(CD ", name=\"a\""),
      "MALFORMED a part has a malformed Content-Disposition"),
    T("a name inside", F("filename=\"x; name=issue[b]\""),
      "MALFORMED a part has an ambiguous Content-Disposition"),
    T("a filename inside", H(CD "; name=\"issue[a] filename=b\""),
      "MALFORMED a part has an ambiguous Content-Disposition"),
    T("filename* without quotes", F("filename*=abc"),
      "MALFORMED a part has a malformed filename*"),
    T("filename* in quotes", F("filename*=\"utf-8''b\""),
      "MALFORMED a part has a malformed filename*"),
    T("filename* with half an escape", F("filename*=utf-8''b%4"),
      "MALFORMED a part has a malformed filename*"),
    T("filename* with a bad escape", F("filename*=utf-8''b%4x"),
      "MALFORMED a part has a malformed filename*"),
    T("filename* in Latin-1", F("filename*=iso-8859-1''b"),
      "CHARSET a part has a filename* that is not UTF-8"),
    T("filename* of bytes", F("filename*=utf-8''%ff"),
      "MALFORMED a part has a filename that is not UTF-8"),
    T("a filename of bytes", F("filename=\"\xff\""),
      "MALFORMED a part has a filename that is not UTF-8"),
    T("a type of bytes", Z("Content-Type: a/\xff"),
      "MALFORMED a part has a Content-Type that is not UTF-8"),
    T("parts in a part", Z("Content-Type: multipart/mixed; boundary=C"),
      "MALFORMED a part that consists of parts"),
    T("a bad Content-Type", Y("Content-Type: text/plain x=y"),
      "MALFORMED a part has a malformed Content-Type"),
    T("a charset without semicolon", Y("Content-Type: text/plain charset=x"),
      "CHARSET a part has a charset other than UTF-8"),
    T("two charsets", Y("Content-Type: a/b; charset=utf-8; charset=utf-8"),
      "CHARSET a part has a charset other than UTF-8"),
    T("charset*", Y("Content-Type: a/b; charset*=utf-8''utf-8"),
      "CHARSET a part has a charset other than UTF-8"),
    T("a charset inside", Y("Content-Type: a/b; x=\"; charset=latin1\""),
      "CHARSET a part has a charset other than UTF-8"),
    T("Latin-1", Y("Content-Type: text/plain; charset=iso-8859-1"),
      "CHARSET a part has a charset other than UTF-8"),
    T("base64", Y("Content-Transfer-Encoding: base64"),
      "CHARSET a part has a Content-Transfer-Encoding"),
    T("a file in base64", Z("Content-Transfer-Encoding: base64"),
      "CHARSET a part has a Content-Transfer-Encoding"),
    T("gzip", X("Content-Encoding: gzip"),
      "CHARSET a part has a Content-Encoding"),
    T("gzip of others", Y("content-encoding: gzip"),
      "CHARSET a part has a Content-Encoding"),
    T("a file in gzip", Z("Content-Encoding: gzip"),
      "CHARSET a part has a Content-Encoding"),
    T("two codings", Y("Content-Encoding: identity\r\n"
      "Content-Encoding: gzip"), "MALFORMED a part has a header twice"),
    T("a file without filename", X("Content-Type: application/octet-stream"),
      "MALFORMED a part has the type of a file, but no filename"),
    T("a filename that is empty", F("filename=\"\""),
      "MALFORMED a part has an empty filename, but content"),

    /* values */

    T("bytes", P("issue[a]", "\xff") "--B--",
      "MALFORMED a part has a value that is not UTF-8"),
    T("_charset_ other", P("_charset_", "latin1") "--B--",
      "CHARSET a \"_charset_\" other than UTF-8"),
    T("_charset_ large", P("_charset_", K256) "--B--",
      "CHARSET a \"_charset_\" other than UTF-8"),
    T("a bad name", P("issue[a", "1") "--B--", "MALFORMED a name that is "
      "empty, or with stray brackets, spaces or control characters"),
    T("a field of two kinds", A P("issue[a][b]", "1") "--B--",
      "MALFORMED a field that is two of value, file, array, object"),
    T("too large a value", P("issue[a]", K4 K4 K4 K4 K4) "--B--",
      "LARGE over flowdash_max_fields_size"),
    T("too large together", P("issue[a]", K4 K4) P("issue[b]", K4 K4 K4)
      "--B--", "LARGE over flowdash_max_fields_size"),
    T("large, but not held", P("o", K4 K4 K4 K4 K4 K4) A "--B--",
      "issue[a]=1;")
};


#define M   "multipart/form-data"
#define B6  "01234567890123456789012345678901234"                             \
            "56789012345678901234567890123456789"

static test_boundary_t  boundaries[] = {
    { M "; boundary=abc", "abc" },
    { "Multipart/Form-Data;BOUNDARY=abc", "abc" },
    { M " ; boundary=\"a'()+_-./:=?Z9\" ; charset=utf-8", "a'()+_-./:=?Z9" },
    { M "; charset=utf-8; boundary=a'()+_-./:=?Z9;", "a'()+_-./:=?Z9" },
    { M "; boundary=----WebKitFormBoundary7MA4; x=y",
      "----WebKitFormBoundary7MA4" },
    { M "; boundary=" B6, B6 },
    { M "; boundary=" B6 "x", NULL },
    { M, NULL },
    { M ";", NULL },
    { M "x; boundary=a", NULL },
    { M ", boundary=a", NULL },
    { M "; boundary", NULL },
    { M "; boundary=", NULL },
    { M "; boundary=\"\"", NULL },
    { M "; boundary=;x=y", NULL },
    { M "; boundary=a; boundary=a", NULL },
    { M "; boundary=a; BOUNDARY=b", NULL },
    { M "; boundary=a; boundary*=utf-8''b", NULL },
    { M "; boundary*=utf-8''b", NULL },
    { M "; boundary=a; x=\"boundary=b\"", NULL },
    { M "; x=\"; boundary=b\"", NULL },
    { M "; xboundary=b", NULL },
    { M "; boundaryx=b; boundary=a", NULL },
    { M "; Boundary=aboundary; x=b", NULL },
    { M "; boundary=aboundary=b", NULL },
    { M "; boundary=\"a\\b\"", NULL },
    { M "; boundary=\"a", NULL },
    { M "; boundary=\"a\"b", NULL },
    { M "; boundary=a b", NULL },
    { M "; boundary=\"a b\"", NULL },
    { M "; boundary=a,b", NULL },
    { M "; boundary=\"a,b\"", NULL },
    { M "; boundary=\",a\"", NULL },
    { M "; boundary=\"a,\"", NULL },
    { M "; boundary=,a", NULL },
    { M "; boundary=a\"b\"", NULL },
    { M "; boundary=a\x01", NULL },
    { M "; boundary=\xc3\xa9", NULL },
    { M "; boundary =a", NULL },
    { M "; boundary= a", NULL },
    { M "; x; boundary=a", NULL },
    { M ";; boundary=a", NULL }
};


/* each piece has memory of its own, so that an overrun is seen */

static ngx_int_t
feed(ngx_http_flowdash_form_t *form, u_char *p, size_t len, ngx_uint_t pieces)
{
    size_t                          n;
    ngx_int_t                       rc;
    ngx_str_t                       piece;
    ngx_http_flowdash_multipart_t  *mp;

    mp = ngx_http_flowdash_multipart_create(form);
    rc = NGX_OK;

    while (len) {
        n = (pieces == TEST_WHOLE) ? len
            : (pieces == TEST_BYTES) ? 1
            : 1 + dice(dice(2) ? 5 : 200);
        n = ngx_min(n, len);

        piece = exactly(p, n);
        rc = ngx_http_flowdash_multipart_read(mp, piece.data, n);
        free(piece.data);

        if (rc != NGX_OK) {
            break;
        }

        p += n;
        len -= n;
    }

    /* what was refused remains so */

    if (rc != NGX_OK
        && ngx_http_flowdash_multipart_read(mp, (u_char *) "x", 1) != rc)
    {
        return NGX_ERROR;
    }

    n = ngx_http_flowdash_multipart_end(mp);

    return (rc == NGX_OK) ? (ngx_int_t) n : rc;
}


/*
 * Writes what was read: the verdict and the error, or pairs, their values by
 * their offsets.  Where these are not between delimiters, a "!" tells.
 */

static u_char *
result(u_char *dst, ngx_http_flowdash_form_t *form, ngx_int_t rc,
    u_char *body)
{
    u_char                         *p;
    ngx_str_t                       value;
    ngx_http_flowdash_form_pair_t  *pair;

    static const char  *verdicts[] = { "OK", "MALFORMED", "CHARSET", "LARGE" };

    if (rc != (form->verdict ? NGX_DECLINED : NGX_OK)) {
        return ngx_sprintf(dst, "rc %i!", rc);
    }

    if (form->verdict) {
        return ngx_sprintf(dst, "%s %s", verdicts[form->verdict],
                           form->error);
    }

    p = body + form->tail;

    if (ngx_strncmp(p, form->empty ? "--B--" : "\r\n--B--",
                    form->empty ? 5 : 7)
        != 0)
    {
        return ngx_sprintf(dst, "tail!");
    }

    if (form->empty) {
        dst = ngx_sprintf(dst, "empty;");
    }

    for (pair = form->pairs; pair; pair = pair->next) {

        value.data = body + pair->value;
        value.len = (size_t) (pair->last - pair->value);

        if (ngx_memcmp(body + pair->start, "--B\r\n", 5) != 0
            || (pair->start && body[pair->start - 1] != LF)
            || ngx_memcmp(value.data - 4, "\r\n\r\n", 4) != 0
            || ngx_memcmp(body + pair->last, "\r\n--B", 5) != 0
            || pair->path.data + pair->path.len
               != pair->name.data + pair->name.len
            || ngx_memcmp(pair->field->node.str.data,
                          pair->name.data + sizeof("issue[") - 1,
                          pair->field->node.str.len) != 0
            || (!pair->file && (pair->text.len != value.len
                || ngx_memcmp(pair->text.data, value.data, value.len) != 0)))
        {
            dst = ngx_sprintf(dst, "offset!");
        }

        dst = ngx_sprintf(dst, "%V", &pair->name);
        dst = pair->file ? ngx_sprintf(dst, "<%V|%V>", &pair->text,
                                       &pair->type)
                         : ngx_sprintf(dst, "=");
        dst = ngx_sprintf(dst, "%V;", &value);
    }

    return dst;
}


/* returns the length of the result, which is put into "out" */

static size_t
run(u_char *out, u_char *body, size_t len, ngx_uint_t pieces, off_t *offset)
{
    size_t                     n;
    ngx_int_t                  rc;
    ngx_str_t                  boundary = ngx_string("B"), *token;
    ngx_pool_t                *pool;
    ngx_array_t               *pointer;
    ngx_http_flowdash_form_t   form;

    pool = ngx_create_pool(4096, &test_log);
    pointer = ngx_array_create(pool, 1, sizeof(ngx_str_t));
    token = ngx_array_push(pointer);
    ngx_str_set(token, "issue");

    ngx_http_flowdash_form_init(&form, pool, pointer, &boundary, TEST_MAX,
                                NGX_HTTP_FLOWDASH_STRICT_NONE);

    rc = feed(&form, body, len, pieces);
    n = result(out, &form, rc, body) - out;

    *offset = form.verdict ? form.offset : form.tail;

    ngx_destroy_pool(pool);

    return n;
}


/* whether all ways to feed it have the same result */

static ngx_uint_t
agree(u_char *body, size_t len, u_char *out, size_t *out_len)
{
    off_t          offset, other_offset;
    size_t         n;
    ngx_uint_t     i;
    static u_char  other[TEST_TEXT * 2];

    *out_len = run(out, body, len, TEST_WHOLE, &offset);

    for (i = 0; i < 5; i++) {
        n = run(other, body, len, i ? TEST_RANDOM : TEST_BYTES,
                &other_offset);

        if (n != *out_len || ngx_memcmp(other, out, n) != 0
            || other_offset != offset)
        {
            printf("# in pieces: %.*s at %ld, not %ld\n", (int) n, other,
                   (long) other_offset, (long) offset);
            return 0;
        }
    }

    return ngx_strlchr(out, out + n, '!') == NULL
           || ngx_strlchr(body, body + len, '!') != NULL;
}


static void
test_case(test_case_t *t)
{
    size_t         n;
    u_char        *body;
    ngx_uint_t     good;
    static u_char  out[TEST_TEXT * 2];

    body = malloc(t->len + 1);
    ngx_memcpy(body, t->body, t->len + 1);

    good = agree(body, t->len, out, &n);

    if (n != t->wanted_len || ngx_memcmp(out, t->wanted, n) != 0) {
        good = 0;
        printf("# got: %.*s\n", (int) n, out);
    }

    ok(good, t->name);
    free(body);
}


static void
test_offset(void)
{
    off_t        offset;
    u_char       out[256];
    const char  *body = A P("issue[b", "1");

    (void) run(out, (u_char *) body, ngx_strlen(body), TEST_WHOLE, &offset);

    ok(offset == sizeof(A) - 1, "a bad name is where its part is");
}


/* random changes to a form, made of what matters in one */

static ngx_uint_t
damaged(void)
{
    static const char  *pieces[] = {
        "\r\n", "\r", "\n", "-", "--", "--B", "\r\n--B", "\r\n--B\r\n",
        "--B--", "B", "\"", ";", "=", "\\", ":", " ", "name=", "; filename=",
        "\r\n\r\n", "Content-Type: ", "'", "*", "%22", "\xc3", "[", "]",
        "_charset_", "issue[a]"
    };

    size_t         len, n, at, cut;
    ngx_uint_t     i;
    test_case_t   *t;
    const char    *s;
    static u_char  body[TEST_TEXT], out[TEST_TEXT * 2];

    do {
        t = &cases[dice(sizeof(cases) / sizeof(cases[0]))];
    } while (t->len > 1000);

    len = t->len;
    ngx_memcpy(body, t->body, len);

    for (i = dice(4) + 1; i; i--) {
        s = pieces[dice(sizeof(pieces) / sizeof(pieces[0]))];
        n = dice(5) ? ngx_strlen(s) : 0;
        at = dice(len + 1);
        cut = dice(2) ? 0 : dice(6);
        cut = ngx_min(cut, len - at);

        ngx_memmove(body + at + n, body + at + cut, len - at - cut);
        ngx_memcpy(body + at, s, n);
        len += n - cut;
    }

    body[len] = '\0';

    return agree(body, len, out, &n);
}


static void
test_boundary(test_boundary_t *t)
{
    ngx_int_t    rc;
    ngx_str_t    type, boundary;
    ngx_uint_t   good;
    const char  *error;

    type = exactly(t->type, ngx_strlen(t->type));
    error = NULL;
    rc = ngx_http_flowdash_multipart_media_boundary(&type, &boundary, &error);

    if (t->wanted) {
        good = (rc == NGX_OK && is_text(&boundary, t->wanted));

    } else {
        good = (rc == NGX_DECLINED && error);
    }

    ok(good, t->type);
    free(type.data);
}


int
main(void)
{
    ngx_uint_t  i, rounds, good;

    rounds = test_begin(20000);

    for (i = 0; i < sizeof(boundaries) / sizeof(boundaries[0]); i++) {
        test_boundary(&boundaries[i]);
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    test_offset();

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += damaged();
    }

    ok(good == rounds, "damaged forms are judged alike in any pieces");

    return test_end();
}
