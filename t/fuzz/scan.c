
/*
 * The scanner of JSON and yajl read the same text: the number of tokens after
 * which they are told to stop, if any, and the text.
 *
 * They must agree on the verdict, on the place of what is wrong, on each token
 * with its place, and on what strings mean.
 */


#include "fuzz.h"

#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_unescape.h>


typedef struct {
    u_char      type;      /* '{', '[', '}' for the end of both, 'n' for a
                              name; or '"', '0', 't', 'f', 'z' for null */
    size_t      end;
    ngx_str_t   text;      /* of yajl: decoded */
    ngx_str_t   spelling;  /* of the scanner */
    unsigned    escaped:1;
    unsigned    half:1;
} scan_token_t;


typedef struct {
    ngx_pool_t                        *pool;
    ngx_str_t                         *text;
    ngx_array_t                        tokens;
    ngx_uint_t                         max;
    ngx_uint_t                         depth;
    unsigned                           deep:1;
    ngx_http_flowdash_json_memory_t    memory;
    yajl_handle                        yajl;
} scan_list_t;


static scan_token_t *
scan_push(scan_list_t *list, u_char type, size_t end)
{
    scan_token_t  *token;

    token = ngx_array_push(&list->tokens);
    fuzz_check(token, "there is memory");

    ngx_memzero(token, sizeof(scan_token_t));
    token->type = type;
    token->end = end;

    return token;
}


static int
scan_yajl(void *data, u_char type, const void *p, size_t len)
{
    scan_list_t *list = data;

    size_t         end;
    scan_token_t  *token;

    end = list->yajl ? yajl_get_bytes_consumed(list->yajl) : list->text->len;

    if (type == '{' || type == '[') {

        if (list->depth++ == NGX_HTTP_FLOWDASH_JSON_DEPTH) {
            list->deep = 1;
            return 0;
        }

    } else if (type == '}') {
        list->depth--;
    }

    token = scan_push(list, type, end);

    if (p) {
        token->text = fuzz_copy(list->pool, p, len);
    }

    return list->tokens.nelts != list->max;
}


static int
yajl_nothing(void *data)
{
    return scan_yajl(data, 'z', NULL, 0);
}


static int
yajl_truth(void *data, int value)
{
    return scan_yajl(data, value ? 't' : 'f', NULL, 0);
}


static int
yajl_digits(void *data, const char *p, size_t len)
{
    return scan_yajl(data, '0', p, len);
}


static int
yajl_text(void *data, const u_char *p, size_t len)
{
    return scan_yajl(data, '"', p, len);
}


static int
yajl_name(void *data, const u_char *p, size_t len)
{
    return scan_yajl(data, 'n', p, len);
}


static int
yajl_object(void *data)
{
    return scan_yajl(data, '{', NULL, 0);
}


static int
yajl_array(void *data)
{
    return scan_yajl(data, '[', NULL, 0);
}


static int
yajl_end(void *data)
{
    return scan_yajl(data, '}', NULL, 0);
}


static const yajl_callbacks  yajl = {
    yajl_nothing, yajl_truth, NULL, NULL, yajl_digits, yajl_text,
    yajl_object, yajl_name, yajl_end, yajl_array, yajl_end
};


static ngx_int_t
scan_token(ngx_http_flowdash_json_scan_t *scan, u_char type)
{
    scan_list_t *list = scan->data;

    scan_token_t  *token;

    fuzz_check(scan->start >= list->text->data && scan->end > scan->start
               && scan->end <= list->text->data + list->text->len,
               "a token lies in the text");

    token = scan_push(list, type, scan->end - list->text->data);

    token->spelling.data = scan->start;
    token->spelling.len = scan->end - scan->start;

    if (*scan->start == '"') {
        token->escaped = scan->escaped;
        token->half = scan->half;
    }

    return (list->tokens.nelts == list->max) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
scan_start(ngx_http_flowdash_json_scan_t *scan)
{
    return scan_token(scan, *scan->start);
}


static ngx_int_t
scan_end(ngx_http_flowdash_json_scan_t *scan)
{
    fuzz_check(*scan->start == '}' || *scan->start == ']', "an end");

    return scan_token(scan, '}');
}


static ngx_int_t
scan_name(ngx_http_flowdash_json_scan_t *scan)
{
    fuzz_check(*scan->start == '"', "a name");

    return scan_token(scan, 'n');
}


static ngx_int_t
scan_scalar(ngx_http_flowdash_json_scan_t *scan)
{
    u_char  c;

    c = *scan->start;

    return scan_token(scan, c == 'n' ? 'z'
                            : (c == '-' || (c >= '0' && c <= '9')) ? '0' : c);
}


static const ngx_http_flowdash_json_events_t  scan_events = {
    scan_start, scan_end, scan_name, scan_scalar
};


static void
check_token(ngx_pool_t *pool, scan_token_t *token, scan_token_t *ref)
{
    u_char     *end;
    ngx_str_t   decoded;

    fuzz_check(token->type == ref->type, "the type of a token");
    fuzz_check(token->end == ref->end, "the end of a token");

    if (token->spelling.data[0] != '"') {
        fuzz_check(ref->text.data == NULL
                   || fuzz_is(&token->spelling, &ref->text), "a number");
        return;
    }

    fuzz_check(token->half
               == ngx_http_flowdash_json_lone_surrogate(&token->spelling),
               "half of a surrogate pair");
    fuzz_check(token->escaped == fuzz_has(&token->spelling, "\\"),
               "a string with escapes");

    decoded.data = fuzz_alloc(pool, token->spelling.len - 2);
    end = ngx_http_flowdash_json_unescape(decoded.data,
                                          token->spelling.data + 1,
                                          token->spelling.data
                                          + token->spelling.len - 1);
    decoded.len = end - decoded.data;

    fuzz_check(decoded.len <= token->spelling.len - 2, "decoding needs less");
    fuzz_check(ngx_http_flowdash_json_unescape_is(&token->spelling, &decoded),
               "a string is what it decodes to");

    /* yajl takes what is behind half of a pair away */

    if (token->half) {
        return;
    }

    fuzz_check(fuzz_is(&decoded, &ref->text), "a decoded string");
    fuzz_check(token->escaped || fuzz_is_utf8(&decoded), "it is UTF-8");
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    u_char                          *bad;
    size_t                           offset;
    ngx_int_t                        rc;
    ngx_str_t                        settings, text;
    ngx_uint_t                       i;
    fuzz_input_t                     in;
    scan_list_t                      list, ref;
    scan_token_t                    *token, *ref_token;
    ngx_http_flowdash_json_scan_t    scan;
    ngx_http_flowdash_json_scan_e    verdict;

    fuzz_begin(&in, data, size);

    settings = fuzz_text(&in);
    text = fuzz_rest(&in);

    ngx_memzero(&list, sizeof(scan_list_t));

    list.pool = in.pool;
    list.text = &text;
    list.max = fuzz_setting(&settings, 0, 0);

    ref = list;

    fuzz_check(ngx_array_init(&list.tokens, in.pool, 8, sizeof(scan_token_t))
               == NGX_OK
               && ngx_array_init(&ref.tokens, in.pool, 8, sizeof(scan_token_t))
                  == NGX_OK, "there is memory");

    ngx_memzero(&scan, sizeof(ngx_http_flowdash_json_scan_t));

    scan.text = text;
    scan.events = &scan_events;
    scan.data = &list;

    verdict = ngx_http_flowdash_json_scan(&scan);

    bad = ngx_http_flowdash_json_check_text(&text);

    if (bad) {
        fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_SCAN_BYTE, "a bad byte");
        fuzz_check(scan.offset == (size_t) (bad - text.data), "its place");
        return fuzz_end(&in);
    }

    rc = ngx_http_flowdash_json_run(&ref.memory, &yajl, &ref, &ref.yajl, &text,
                                    &offset, in.pool->log);

    if (rc == NGX_OK) {
        fuzz_check(verdict == NGX_HTTP_FLOWDASH_JSON_SCAN_OK, "JSON");

    } else {
        fuzz_check(rc == NGX_DECLINED
                   && verdict
                      == (ref.deep ? NGX_HTTP_FLOWDASH_JSON_SCAN_DEEP
                          : ref.max && ref.tokens.nelts == ref.max
                          ? NGX_HTTP_FLOWDASH_JSON_SCAN_STOPPED
                          : NGX_HTTP_FLOWDASH_JSON_SCAN_MALFORMED),
                   "no JSON");
        fuzz_check(scan.offset == offset, "the place of what is wrong");
    }

    fuzz_check(list.tokens.nelts == ref.tokens.nelts, "as many tokens");

    token = list.tokens.elts;
    ref_token = ref.tokens.elts;

    for (i = 0; i < list.tokens.nelts; i++) {
        check_token(in.pool, &token[i], &ref_token[i]);
    }

    return fuzz_end(&in);
}
