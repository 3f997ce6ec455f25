
/*
 * multipart/form-data without nginx: forms that are read and such that are
 * refused, each in pieces of every kind, and damaged ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"


#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_strict.c"
#include "ngx_http_flowdash_json_unescape.c"
#include "ngx_http_flowdash_json.c"
#include "ngx_http_flowdash_json_scan.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_slices.c"
#include "ngx_http_flowdash_table.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_json_names.c"
#include "ngx_http_flowdash_json_pointer.c"
#include "ngx_http_flowdash_json_leaves.c"
#include "ngx_http_flowdash_field.c"
#include "ngx_http_flowdash_field_index.c"
#include "ngx_http_flowdash_task.c"
#include "ngx_http_flowdash_form.c"
#include "ngx_http_flowdash_form_grammar.c"
#include "ngx_http_flowdash_form_rules.c"
#include "ngx_http_flowdash_form_alias.c"
#include "ngx_http_flowdash_form_name.c"
#include "ngx_http_flowdash_form_index.c"
#include "ngx_http_flowdash_form_task.c"
#include "ngx_http_flowdash_form_urlencoded.c"
#include "ngx_http_flowdash_form_check.c"
#include "ngx_http_flowdash_form_edit.c"
#include "ngx_http_flowdash_method.c"
#include "ngx_http_flowdash_multipart_media.c"
#include "ngx_http_flowdash_multipart_state.c"
#include "ngx_http_flowdash_multipart_delimiter.c"
#include "ngx_http_flowdash_multipart_filename.c"
#include "ngx_http_flowdash_multipart_grammar.c"
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
      "MALFORMED no delimiter at the beginning"),
    T("two empty lines", "\r\n\r\n" A "--B--",
      "MALFORMED no delimiter at the beginning"),
    T("a bare LF first", "\n" A "--B--",
      "MALFORMED no delimiter at the beginning"),
    T("a bare CR first", "\r" A "--B--",
      "MALFORMED no delimiter at the beginning"),
    T("another delimiter", "--b\r\n", "MALFORMED no delimiter at the "
      "beginning"),
    T("no end", A "--B\r\n", "MALFORMED the closing delimiter is missing"),
    T("half an end", A "--B-", "MALFORMED the closing delimiter is missing"),
    T("something after", A "--B--\r\nx",
      "MALFORMED something after the closing delimiter"),
    T("a part after", A "--B--\r\n" A,
      "MALFORMED something after the closing delimiter"),
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
      "MALFORMED a delimiter after a bare line feed"),
    T("LF LF before", P("o", "\n--B"),
      "MALFORMED a delimiter after a bare line feed"),
    T("a bare CR before", P("o", "1\r--B"),
      "MALFORMED a delimiter in the middle of a line"),
    T("inside of a line", P("issue[a]", "1--B"),
      "MALFORMED a delimiter in the middle of a line"),
    T("dashes before", P("issue[a]", "\r\n---B"),
      "MALFORMED a delimiter in the middle of a line"),
    T("no content", D CD "; name=\"o\"\r\n\r\n--B--",
      "MALFORMED a part without content"),

    /* headers */

    T("no headers", D "\r\nx" E,
      "MALFORMED a part does not have exactly one Content-Disposition"),
    T("no disposition", H("X: y"),
      "MALFORMED a part does not have exactly one Content-Disposition"),
    T("two dispositions", Y(CD "; name=\"b\""),
      "MALFORMED a part does not have exactly one Content-Disposition"),
    T("a disposition inside", Y("X: " CD "; name=\"b\""),
      "MALFORMED a part does not have exactly one Content-Disposition"),
    T("only one inside", H("X-" CD "; name=\"b\""),
      "MALFORMED a part has no Content-Disposition"),
    T("a bare LF", H("X: y\nZ: z"),
      "MALFORMED a lone CR or LF in the headers of a part"),
    T("a bare CR", H("X: y\rZ: z"),
      "MALFORMED a lone CR or LF in the headers of a part"),
    T("a bare LF at once", D "\n",
      "MALFORMED a lone CR or LF in the headers of a part"),
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
      "LARGE a part has headers that are too large"),
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
    T("ISO-8859-1", X("Content-Type: text/plain; charset=iso-8859-1"),
      "issue[a]=x;"),
    T("Latin-1", Y("Content-Type: text/plain; charset=latin1"),
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
      "empty, or has stray brackets, spaces or control characters"),
    T("a field of two kinds", A P("issue[a][b]", "1") "--B--",
      "MALFORMED a field that is more than one of a value, a file, an "
      "array and an object"),
    T("too large a value", P("issue[a]", K4 K4 K4 K4 K4) "--B--",
      "LARGE over flowdash_max_fields_size"),
    T("too large together", P("issue[a]", K4 K4) P("issue[b]", K4 K4 K4)
      "--B--", "LARGE over flowdash_max_fields_size"),
    T("large, but not held", P("o", K4 K4 K4 K4 K4 K4) A "--B--",
      "issue[a]=1;")
};


/* with the rules parts, words and type; V has their parts' usual headers */

#define N(n)     H(CD "; name=\"" n "\"")
#define V(h)     H(h CD "; name=\"issue[a]\"")
#define G(n)     H(CD "; name=\"issue[f]\"; filename=\"" n "\"\r\n"         \
                   "Content-Type: a/b")
#define O(p)     H(CD "; name=\"o\"" p)

#define DISPOSITION  "MALFORMED a part has an unusual Content-Disposition "   \
                     "(parts)"
#define HEADER       "MALFORMED a part has a header that forms do not have, " \
                     "or an unusual one (parts)"
#define TYPE         "MALFORMED a part has an unusual Content-Type (parts)"
#define LENGTH       "MALFORMED a part whose length is not its "             \
                     "Content-Length (parts)"
#define BAD_LENGTH   "MALFORMED a part has a malformed Content-Length (parts)"
#define ENCODING     "MALFORMED a part has an unusual "                       \
                     "Content-Transfer-Encoding (parts)"
#define TWICE        "MALFORMED a part has a header twice (parts)"
#define INSIDE       "MALFORMED a part that consists of parts or fields "     \
                     "(parts)"
#define ESCAPE       "MALFORMED a part has an escape in its name (parts)"
#define BEGINS       "MALFORMED a part has a name that begins with white "    \
                     "space (parts)"
#define ENDS         "MALFORMED a part has a name that ends with white "      \
                     "space (parts)"
#define ENCODED      "MALFORMED a part has an encoded filename (words)"
#define PATH         "MALFORMED a part has a path in its filename (words)"
#define AROUND       "MALFORMED a part has a filename with a space or a "     \
                     "byte order mark around it (words)"
#define DIRECTORY    "MALFORMED a part has \".\" or \"..\" as its filename "  \
                     "(words)"
#define NOT_ASCII    "CHARSET a part has a value that is not ASCII, in a "    \
                     "charset other than UTF-8"

static test_case_t  strict_cases[] = {

    /* read: what browsers and other clients send */

    T("a value", A "--B--", "issue[a]=1;"),
    T("lower case", H("content-disposition: form-data; name=\"issue[a]\""),
      "issue[a]=x;"),
    T("any case", V("CONTENT-type: text/plain\r\n"), "issue[a]=x;"),
    T("aiohttp", V("Content-Type: text/plain; charset=utf-8\r\n"),
      "issue[a]=x;"),
    T("a blob", Z("Content-Type: text/plain;charset=UTF-8"),
      "issue[f]<n|text/plain;charset=UTF-8>x;"),
    T("a video", Z("Content-Type: video/webm; codecs=\"vp8, opus\""),
      "issue[f]<n|video/webm; codecs=\"vp8, opus\">x;"),
    T("Guzzle", V("Content-Length: 1\r\n"), "issue[a]=x;"),
    T("Ruby", Z("Content-Length: 1\r\nContent-Type: a/b\r\n"
      "Content-Transfer-Encoding: binary"), "issue[f]<n|a/b>x;"),
    T("Apache", V("Content-Type: text/plain; charset=ISO-8859-1\r\n"
      "Content-Transfer-Encoding: 8bit\r\n"), "issue[a]=x;"),
    T("US-ASCII", V("Content-Type: text/plain; charset=US-ASCII\r\n"
      "Content-Transfer-Encoding: 7bit\r\n"), "issue[a]=x;"),
    T("Dart", V("content-type: text/plain; charset=utf-8\r\n"
      "content-transfer-encoding: binary\r\n"), "issue[a]=x;"),
    T("an encoding alone", V("Content-Transfer-Encoding: binary\r\n"),
      "issue[a]=x;"),
    T("JSON for a value", V("Content-Type: application/json\r\n"),
      "issue[a]=x;"),
    T("a length of 0", D "Content-Length: 0\r\n" CD
      "; name=\"issue[a]\"\r\n\r\n" E, "issue[a]=;"),
    T("a filename* that agrees", H(CD "; name=\"issue[f]\"; filename="
      "\"a \xc3\xa9\"; filename*=utf-8''a%20%C3%A9\r\nContent-Type: a/b"),
      "issue[f]<a \xc3\xa9|a/b>x;"),
    T("no file chosen", D CD "; name=\"issue[f]\"; filename=\"\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" E,
      "issue[f]<|application/octet-stream>;"),
    T("signs in a filename", G("a b;c=d&e,100% 5%x R&D & {[(#?)]}.pdf"),
      "issue[f]<a b;c=d&e,100% 5%x R&D & {[(#?)]}.pdf|a/b>x;"),
    T("dots in a filename", G("..."), "issue[f]<...|a/b>x;"),
    T("signs in a name", N("issue[a%b%4 ,{:]"), "issue[a%b%4 ,{:]=x;"),
    T("a file of others", O("; filename=\"..\\%41&amp;=?\xff\"\r\n"
      "Content-Type: text/plain; charset=latin1"), ""),
    T("a file of others without a type", O("; filename=\"a\""), ""),
    T("a value of others in Latin-1", O("\r\n"
      "Content-Type: text/plain; charset=ISO-8859-1"), ""),

    /* headers */

    T("another header", V("X-A: b\r\n"), HEADER),
    T("a Content-Encoding", V("Content-Encoding: identity\r\n"), HEADER),
    T("a Content-ID", V("Content-ID: issue[b]\r\n"), HEADER),
    T("another header of others", O("\r\nX-A: b"), HEADER),
    T("no space", V("Content-Type:text/plain\r\n"), HEADER),
    T("a tab", V("Content-Type:\ttext/plain\r\n"), HEADER),
    T("a space before the colon", V("Content-Type : text/plain\r\n"),
      HEADER),
    T("a longer name", V("X-Content-Type: text/plain\r\n"), HEADER),
    T("no value", V("Content-Type:\r\n"), HEADER),
    T("an empty value", V("Content-Type: \r\n"), TYPE),
    T("two types", V("Content-Type: a/b\r\ncontent-type: a/b\r\n"), TWICE),
    T("two dispositions", V(CD "; name=\"issue[b]\"\r\n"), TWICE),
    T("two lengths", V("Content-Length: 1\r\nContent-Length: 1\r\n"),
      TWICE),
    T("two encodings", V("Content-Transfer-Encoding: 8bit\r\n"
      "Content-Transfer-Encoding: 8bit\r\n"), TWICE),
    T("no headers", D "\r\nx" E,
      "MALFORMED a part does not have exactly one Content-Disposition"),

    /* Content-Disposition */

    T("two spaces", H("Content-Disposition:  form-data; name=\"o\""),
      DISPOSITION),
    T("another disposition", H("Content-Disposition: attachment; "
      "name=\"o\""), DISPOSITION),
    T("upper case", H("Content-Disposition: Form-Data; name=\"o\""),
      DISPOSITION),
    T("Name", H(CD "; Name=\"o\""), DISPOSITION),
    T("FileName", O("; FileName=\"a\""), DISPOSITION),
    T("no space before name", H(CD ";name=\"o\""), DISPOSITION),
    T("no space before filename", O(";filename=\"a\""), DISPOSITION),
    T("a tab before filename", O(";\tfilename=\"a\""), DISPOSITION),
    T("two spaces before filename", O(";  filename=\"a\""), DISPOSITION),
    T("a space before ;", O(" ; filename=\"a\""), DISPOSITION),
    T("a space before =", O("; filename =\"a\""), DISPOSITION),
    T("a space after =", O("; filename= \"a\""), DISPOSITION),
    T("a space at the end", O(" "), DISPOSITION),
    T("a semicolon at the end", O(";"), DISPOSITION),
    T("a name that is a token", H(CD "; name=o"), DISPOSITION),
    T("a filename that is a token", O("; filename=a"), DISPOSITION),
    T("filename first", H(CD "; filename=\"a\"; name=\"o\""), DISPOSITION),
    T("filename* alone", O("; filename*=UTF-8''a"), DISPOSITION),
    T("filename* first", O("; filename*=UTF-8''a; filename=\"a\""),
      DISPOSITION),
    T("more after filename*", O("; filename=\"a\"; filename*=UTF-8''a; x=y"),
      DISPOSITION),
    T("filename* in quotes", O("; filename=\"a\"; filename*=\"UTF-8''a\""),
      DISPOSITION),
    T("filename* with a language", O("; filename=\"a\"; "
      "filename*=UTF-8'en'a"), DISPOSITION),
    T("filename* without a charset", O("; filename=\"a\"; filename*=a"),
      DISPOSITION),
    T("filename* that differs", H(CD "; name=\"issue[f]\"; filename=\"a\"; "
      "filename*=UTF-8''b\r\nContent-Type: a/b"),
      "MALFORMED a part has a filename* that differs from its filename (parts)"),
    T("another parameter", O("; filename=\"a\"; size=1"), DISPOSITION),
    T("name*", O("; name*=UTF-8''issue[b]"), DISPOSITION),
    T("two names", O("; name=\"issue[b]\""), DISPOSITION),
    T("no name", H(CD), DISPOSITION),
    T("no closing quote", H(CD "; name=\"o"), DISPOSITION),
    T("a tab in a name", N("o\tx"), DISPOSITION),
    T("a tab in a filename", O("; filename=\"a\tb\""), DISPOSITION),
    T("a name inside", N("o(name=issue[a])"), DISPOSITION),
    T("a filename inside", N("o,FileName  =a"), DISPOSITION),
    T("a filename* inside", O("; filename=\"a,filename*=UTF-8''b\""),
      DISPOSITION),

    /* names */

    T("an escaped bracket", N("issue%5Ba]"), ESCAPE),
    T("lower case escapes", N("issue%5ba%5d"), ESCAPE),
    T("an escaped quote", N("issue[%22]"), ESCAPE),
    T("an escape of others", N("o%5B"), ESCAPE),
    T("a semicolon", N("o;x"), "MALFORMED a part has a semicolon in its name "
      "(parts)"),
    T("a backslash", N("o\\x"), "MALFORMED a part has a backslash in its "
      "name"),
    T("an empty name", N(""), "MALFORMED a part has no name"),
    T("a space first", N(" issue[a]"), BEGINS),
    T("a space last", N("issue[a] "), ENDS),
    T("only a space", N(" "), BEGINS),
    T("U+0085 first", N("\xc2\x85issue[a]"), BEGINS),
    T("U+00A0 last", N("issue[a]\xc2\xa0"), ENDS),
    T("U+1680 first", N("\xe1\x9a\x80issue[a]"), BEGINS),
    T("U+2000 last", N("issue[a]\xe2\x80\x80"), ENDS),
    T("U+200A first", N("\xe2\x80\x8aissue[a]"), BEGINS),
    T("U+2028 last", N("issue[a]\xe2\x80\xa8"), ENDS),
    T("U+2029 first", N("\xe2\x80\xa9issue[a]"), BEGINS),
    T("U+202F last", N("issue[a]\xe2\x80\xaf"), ENDS),
    T("U+205F first", N("\xe2\x81\x9fissue[a]"), BEGINS),
    T("U+3000 last", N("issue[a]\xe3\x80\x80"), ENDS),
    T("U+FEFF first", N("\xef\xbb\xbfissue[a]"), BEGINS),
    T("not white space", N("\xe2\x80\x8bissue \xe2\x80\xa6"), ""),

    /* Content-Type */

    T("a file without a type", F("filename=\"n\""), "MALFORMED a part has a "
      "file without a Content-Type (type)"),
    T("no slash", V("Content-Type: text\r\n"), TYPE),
    T("no subtype", V("Content-Type: text/\r\n"), TYPE),
    T("a space first", V("Content-Type:  a/b\r\n"), TYPE),
    T("a space last", V("Content-Type: a/b \r\n"), TYPE),
    T("a semicolon last", V("Content-Type: a/b;\r\n"), TYPE),
    T("a space before ;", V("Content-Type: a/b ; c=d\r\n"), TYPE),
    T("bytes", V("Content-Type: a/b; c=\"\xc3\xa9\"\r\n"), TYPE),
    T("a tab", V("Content-Type: a/b;\tc=d\r\n"), TYPE),
    T("malformed", V("Content-Type: a/b; c\r\n"), TYPE),
    T("a filename", V("Content-Type: a/b; filename=c\r\n"), TYPE),
    T("a filename*", V("Content-Type: a/b; filename*=utf-8''c\r\n"), TYPE),
    T("a name", O("; filename=\"a\"\r\nContent-Type: a/b; Name=c"), TYPE),
    T("a boundary", O("; filename=\"a\"\r\nContent-Type: a/b; "
      "x=\"multipart boundary =C\""), TYPE),
    T("multipart", O("\r\nContent-Type: multipart/x"), INSIDE),
    T("multipart of a file", O("; filename=\"a\"\r\n"
      "Content-Type: Multipart/Mixed"), INSIDE),
    T("a message", V("Content-Type: message/rfc822\r\n"), INSIDE),
    T("a form", O("; filename=\"a\"\r\n"
      "Content-Type: application/X-www-form-urlencoded"), INSIDE),
    T("bytes in Latin-1", D CD "; name=\"issue[a]\"\r\nContent-Type: "
      "text/plain; charset=ISO-8859-1\r\n\r\n\xc3\xa9" E, NOT_ASCII),
    T("Latin-1 of another name", V("Content-Type: text/plain; "
      "charset=latin1\r\n"), "CHARSET a part has a charset other than UTF-8"),
    T("Latin-1 twice", V("Content-Type: text/plain; charset=ISO-8859-1; "
      "charset=ISO-8859-1\r\n"),
      "CHARSET a part has a charset other than UTF-8"),
    T("the type of a file", V("Content-Type: application/octet-stream\r\n"),
      "MALFORMED a part has the type of a file, but no filename"),

    /* Content-Length, Content-Transfer-Encoding */

    T("too short", V("Content-Length: 2\r\n"), LENGTH),
    T("too long", V("Content-Length: 0\r\n"), LENGTH),
    T("too short, of others", O("\r\nContent-Length: 2"), LENGTH),
    T("a sign", V("Content-Length: +1\r\n"), BAD_LENGTH),
    T("a zero first", V("Content-Length: 01\r\n"), BAD_LENGTH),
    T("a space after", V("Content-Length: 1 \r\n"), BAD_LENGTH),
    T("no length", V("Content-Length: \r\n"), BAD_LENGTH),
    T("too large a length", V("Content-Length: 99999999999999999999\r\n"),
      BAD_LENGTH),
    T("base64", V("Content-Transfer-Encoding: base64\r\n"), ENCODING),
    T("base64 of a file of others", O("; filename=\"a\"\r\n"
      "Content-Transfer-Encoding: base64"), ENCODING),
    T("upper case", V("Content-Transfer-Encoding: 8BIT\r\n"), ENCODING),
    T("more", V("Content-Transfer-Encoding: 8bitx\r\n"), ENCODING),
    T("less", V("Content-Transfer-Encoding: 8bi\r\n"), ENCODING),
    T("bytes with an encoding alone", D CD "; name=\"issue[a]\"\r\n"
      "Content-Transfer-Encoding: binary\r\n\r\n\xc3\xa9" E, NOT_ASCII),

    /* filenames */

    T("an encoded word", G("=?UTF-8?B?QQ==?="), ENCODED),
    T("an encoded word inside", G("a =?iso-8859-1?q?b?= c"), ENCODED),
    T("an escaped letter", G("a%41"), ENCODED),
    T("an escaped quote", G("%22a"), ENCODED),
    T("a reference", G("a&auml;"), ENCODED),
    T("a reference of a number", G("a&#46b"), ENCODED),
    T("a reference without semicolon", G("a&notb"), ENCODED),
    T("a newer reference", G("a&period;"), ENCODED),
    T("a path", G("a/b"), PATH),
    T("a path of Windows", G("C:\\b"), PATH),
    T("a space first", G(" a"), AROUND),
    T("a space last", G("a "), AROUND),
    T("a byte order mark", G("\xef\xbb\xbf" "a"), AROUND),
    T(".", G("."), DIRECTORY),
    T("..", G(".."), DIRECTORY)
};


static test_boundary_t  types[] = {
    { "multipart/form-data; boundary=abc", "" },
    { "multipart/form-data;boundary=abc", "" },
    { "Multipart/Form-Data; boundary=a-B_0.+", "" },
    { "multipart/form-data; boundary=\"a'()+_-./:?\"", "" },
    { "multipart/form-data; boundary=abc; charset=utf-8", "" },
    { "multipart/form-data; charset=\"utf-8\";boundary=abc", "" },
    { "multipart/form-data", NULL },
    { "multipart/form-data;", NULL },
    { "multipart/form-data; ", NULL },
    { "multipart/form-data; charset=utf-8", NULL },
    { "multipart/form-data; boundary", NULL },
    { "multipart/form-data; boundary=", NULL },
    { "multipart/form-data; boundary=\"", NULL },
    { "multipart/form-data; boundary=\"abc", NULL },
    { "multipart/form-data; boundary=\"a b\"", NULL },
    { "multipart/form-data; boundary=\"a;b\"", NULL },
    { "multipart/form-data; boundary=\"a\"b", NULL },
    { "multipart/form-data; boundary=a\"b\"", NULL },
    { "multipart/form-data; boundary=abc;", NULL },
    { "multipart/form-data; boundary=abc ", NULL },
    { "multipart/form-data; boundary=abc x", NULL },
    { "multipart/form-data; boundary=BB=CC", NULL },
    { "multipart/form-data; boundary=BB'C", NULL },
    { "multipart/form-data; boundary=BB(C", NULL },
    { "multipart/form-data; boundary=BB)C", NULL },
    { "multipart/form-data; boundary=BB,C", NULL },
    { "multipart/form-data; boundary=BB/C", NULL },
    { "multipart/form-data; boundary=BB:C", NULL },
    { "multipart/form-data; boundary=BB?C", NULL },
    { "multipart/form-data; boundary=BB; x=\"boundary =CC\"", NULL },
    { "multipart/form-data; x=y; boundary=BB", NULL },
    { "multipart/form-data; boundary=a; boundary=a", NULL },
    { "multipart/form-data; charset=a; charset=a; boundary=a", NULL },
    { "multipart/form-data; boundary*=utf-8''a", NULL },
    { "multipart/form-data; Boundary=abc", NULL },
    { "multipart/form-data; boundary =abc", NULL },
    { "multipart/form-data; boundary= abc", NULL },
    { "multipart/form-data;  boundary=abc", NULL },
    { "multipart/form-data;\tboundary=abc", NULL },
    { "multipart/form-data ; boundary=abc", NULL },
    { "multipart/form-data, boundary=abc", NULL }
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
        dst = ngx_sprintf(dst, "%s %s", verdicts[form->verdict], form->error);

        return form->rule
               ? ngx_sprintf(dst, " (%s)",
                             ngx_http_flowdash_strict_name(form->rule))
               : dst;
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
            || ngx_memcmp(pair->field->key.data,
                          pair->name.data + sizeof("issue[") - 1,
                          pair->field->key.len) != 0
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
run(u_char *out, u_char *body, size_t len, ngx_uint_t strict,
    ngx_uint_t pieces, off_t *offset)
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
                                strict);

    rc = feed(&form, body, len, pieces);
    n = result(out, &form, rc, body) - out;

    *offset = form.verdict ? form.offset : form.tail;

    ngx_destroy_pool(pool);

    return n;
}


/* whether all ways to feed it have the same result */

static ngx_uint_t
agree(u_char *body, size_t len, ngx_uint_t strict, u_char *out,
    size_t *out_len)
{
    off_t          offset, other_offset;
    size_t         n;
    ngx_uint_t     i;
    static u_char  other[TEST_TEXT * 2];

    *out_len = run(out, body, len, strict, TEST_WHOLE, &offset);

    for (i = 0; i < 5; i++) {
        n = run(other, body, len, strict, i ? TEST_RANDOM : TEST_BYTES,
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
test_case(test_case_t *t, ngx_uint_t strict)
{
    size_t         n;
    u_char        *body;
    ngx_uint_t     good;
    static u_char  out[TEST_TEXT * 2];

    body = malloc(t->len + 1);
    ngx_memcpy(body, t->body, t->len + 1);

    good = agree(body, t->len, strict, out, &n);

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

    (void) run(out, (u_char *) body, ngx_strlen(body),
               NGX_HTTP_FLOWDASH_STRICT_NONE, TEST_WHOLE, &offset);

    ok(offset == sizeof(A) - 1, "a bad name is where its part is");
}


/*
 * Random changes to a form, made of what matters in one.  What the rules let
 * pass is read as it is without them.
 */

static ngx_uint_t
damaged(void)
{
    static const char  *pieces[] = {
        "\r\n", "\r", "\n", "-", "--", "--B", "\r\n--B", "\r\n--B\r\n",
        "--B--", "B", "\"", ";", "=", "\\", ":", " ", "name=", "; filename=",
        "\r\n\r\n", "Content-Type: ", "'", "*", "%22", "\xc3", "[", "]",
        "_charset_", "issue[a]"
    };

    size_t         len, n, at, cut, strict_n;
    ngx_uint_t     i;
    test_case_t   *t;
    const char    *s;
    static u_char  body[TEST_TEXT], out[TEST_TEXT * 2];
    static u_char  strict[TEST_TEXT * 2];

    do {
        t = dice(2) ? &cases[dice(sizeof(cases) / sizeof(cases[0]))]
            : &strict_cases[dice(sizeof(strict_cases)
                                 / sizeof(strict_cases[0]))];
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

    if (!agree(body, len, NGX_HTTP_FLOWDASH_STRICT_NONE, out, &n)
        || !agree(body, len, NGX_HTTP_FLOWDASH_STRICT_ALL, strict, &strict_n))
    {
        return 0;
    }

    return (strict_n && strict[strict_n - 1] != ';')
           || (strict_n == n && ngx_memcmp(strict, out, n) == 0);
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


/* whether the rule "parts" lets the Content-Type of a request pass */

static void
test_type(test_boundary_t *t)
{
    ngx_str_t    type;
    const char  *error;

    type = exactly(t->type, ngx_strlen(t->type));
    error = ngx_http_flowdash_multipart_grammar_type(&type);

    ok((error == NULL) == (t->wanted != NULL), t->type);
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
        test_case(&cases[i], NGX_HTTP_FLOWDASH_STRICT_NONE);
    }

    for (i = 0; i < sizeof(strict_cases) / sizeof(strict_cases[0]); i++) {
        test_case(&strict_cases[i], NGX_HTTP_FLOWDASH_STRICT_PARTS
                                    |NGX_HTTP_FLOWDASH_STRICT_WORDS
                                    |NGX_HTTP_FLOWDASH_STRICT_TYPE);
    }

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        test_type(&types[i]);
    }

    test_offset();

    good = 0;

    for (i = 0; i < rounds; i++) {
        good += damaged();
    }

    ok(good == rounds, "damaged forms are judged alike in any pieces");

    return test_end();
}
