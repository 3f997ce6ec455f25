
/*
 * The method of a request and its overrides.  Apps differ in where they look
 * for an override and in how they read its name: whatever one of them could
 * take for an override counts as one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_method.h>


/* bytes of a query or a form, decoded one by one */

typedef struct {
    u_char       *p;
    u_char       *last;
    ngx_uint_t    encoded;   /* unsigned  encoded:1; */
} ngx_http_flowdash_method_text_t;


static void ngx_http_flowdash_method_override(ngx_http_flowdash_method_t *m,
    ngx_http_flowdash_method_text_t *text);
static void ngx_http_flowdash_method_add(ngx_http_flowdash_method_t *m,
    ngx_str_t *method);
static ngx_uint_t ngx_http_flowdash_method_is_safe(ngx_str_t *method);
static ngx_uint_t ngx_http_flowdash_method_is_override(
    ngx_http_flowdash_method_text_t *name);
static ngx_int_t ngx_http_flowdash_method_next(
    ngx_http_flowdash_method_text_t *text);
static ngx_uint_t ngx_http_flowdash_method_is_word(ngx_int_t c);


void
ngx_http_flowdash_method_init(ngx_http_flowdash_method_t *m,
    ngx_array_t *methods, ngx_str_t *own)
{
    ngx_memzero(m, sizeof(ngx_http_flowdash_method_t));

    m->methods = methods;
    m->listed = ngx_http_flowdash_method_is_listed(methods, own);
    m->unsafe = !ngx_http_flowdash_method_is_safe(own);
    m->unlisted = m->unsafe && !m->listed
                  && !ngx_http_flowdash_text_is(own, "POST");
}


void
ngx_http_flowdash_method_header(ngx_http_flowdash_method_t *m,
    ngx_str_t *name, ngx_str_t *value)
{
    if (ngx_http_flowdash_method_is_header(name)) {
        ngx_http_flowdash_method_value(m, value);
    }
}


void
ngx_http_flowdash_method_value(ngx_http_flowdash_method_t *m,
    ngx_str_t *value)
{
    ngx_http_flowdash_method_text_t  text;

    text.p = value->data;
    text.last = value->data + value->len;
    text.encoded = 0;

    ngx_http_flowdash_method_override(m, &text);
}


/* some apps split pairs at semicolons, too */

void
ngx_http_flowdash_method_pairs(ngx_http_flowdash_method_t *m, ngx_str_t *text)
{
    u_char                           *p, *last, *pair, *end;
    ngx_http_flowdash_method_text_t   name, value;

    last = text->data + text->len;
    pair = text->data;

    for (p = text->data; p < last; p = end + 1) {

        /* the pair ends at "pair", what some apps take for one, before that */

        if (p >= pair) {
            pair = memchr(p, '&', last - p);
            pair = pair ? pair : last;
        }

        end = memchr(p, ';', pair - p);
        end = end ? end : pair;

        name.p = p;
        name.last = memchr(p, '=', end - p);
        name.encoded = 1;

        if (name.last == NULL) {
            continue;
        }

        value.p = name.last + 1;
        value.last = end;
        value.encoded = 1;

        if (ngx_http_flowdash_method_is_override(&name)) {
            ngx_http_flowdash_method_override(m, &value);
        }
    }
}


/* headers of one name may have been joined by commas */

static void
ngx_http_flowdash_method_override(ngx_http_flowdash_method_t *m,
    ngx_http_flowdash_method_text_t *text)
{
    size_t      len;
    u_char      buf[NGX_HTTP_FLOWDASH_METHOD_MAX + 1];
    ngx_int_t   c;
    ngx_str_t   method;

    len = 0;
    method.data = buf;

    for ( ;; ) {

        c = ngx_http_flowdash_method_next(text);

        if (c != NGX_DONE && c != ',') {

            if (len == sizeof(buf)) {

                /* too long, whatever spaces are in it */

                if (c > ' ') {
                    buf[len - 1] = (u_char) c;
                }

            } else if (c > ' ' || len) {
                buf[len++] = (u_char) ngx_toupper(c);
            }

            continue;
        }

        while (len && buf[len - 1] <= ' ') {
            len--;
        }

        if (len) {
            method.len = len;
            ngx_http_flowdash_method_add(m, &method);
        }

        if (c == NGX_DONE) {
            return;
        }

        len = 0;
    }
}


static void
ngx_http_flowdash_method_add(ngx_http_flowdash_method_t *m, ngx_str_t *method)
{
    ngx_uint_t  listed;

    if (m->len == 0) {
        ngx_memcpy(m->override, method->data, method->len);
        m->len = method->len;

    } else if (m->len != method->len
               || ngx_memcmp(m->override, method->data, m->len) != 0)
    {
        m->differ = 1;
    }

    listed = ngx_http_flowdash_method_is_listed(m->methods, method);

    if (listed) {
        m->listed = 1;
    }

    if (!ngx_http_flowdash_method_is_safe(method)) {
        m->unsafe = 1;

        if (!listed) {
            m->unlisted = 1;
        }
    }
}


/* apps do for HEAD what they do for GET */

ngx_uint_t
ngx_http_flowdash_method_is_listed(ngx_array_t *methods, ngx_str_t *method)
{
    ngx_str_t   *listed;
    ngx_uint_t   i;

    if (methods == NULL) {
        return !ngx_http_flowdash_text_is(method, "OPTIONS");
    }

    listed = methods->elts;

    for (i = 0; i < methods->nelts; i++) {

        if (ngx_http_flowdash_text_equal(&listed[i], method)
            || (ngx_http_flowdash_text_is(&listed[i], "GET")
                && ngx_http_flowdash_text_is(method, "HEAD")))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_method_is_safe(ngx_str_t *method)
{
    return ngx_http_flowdash_text_is(method, "GET")
           || ngx_http_flowdash_text_is(method, "HEAD")
           || ngx_http_flowdash_text_is(method, "OPTIONS");
}


/* to CGI and its like, "_" and "-" in the name of a header are the same */

ngx_uint_t
ngx_http_flowdash_method_is_header(ngx_str_t *name)
{
    size_t        i;
    ngx_uint_t    same;
    const char  **header;

    static const char  *headers[] = {
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        NULL
    };

    /* most headers are none of them, as their first letter tells */

    if (name->len == 0 || ngx_tolower(name->data[0]) != 'x') {
        return 0;
    }

    for (header = headers; *header; header++) {

        if (name->len != ngx_strlen(*header)) {
            continue;
        }

        same = 1;

        for (i = 0; i < name->len && same; i++) {
            same = ((*header)[i] == '-')
                   ? !ngx_http_flowdash_method_is_word(name->data[i])
                   : (u_char) (*header)[i] == ngx_tolower(name->data[i]);
        }

        if (same) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_method_is_name(ngx_str_t *name)
{
    ngx_http_flowdash_method_text_t  text;

    text.p = name->data;
    text.last = name->data + name->len;
    text.encoded = 0;

    return ngx_http_flowdash_method_is_override(&text);
}


/*
 * Apps skip characters in front of a name, turn some into underscores, ignore
 * case, cut names at a NUL, and take the first element of an array.
 */

static ngx_uint_t
ngx_http_flowdash_method_is_override(ngx_http_flowdash_method_text_t *name)
{
    u_char      *word;
    ngx_int_t    c;
    ngx_uint_t   underscore;

    underscore = 0;

    for ( ;; ) {
        c = ngx_http_flowdash_method_next(name);

        if (c == NGX_DONE || ngx_http_flowdash_method_is_word(c)) {
            break;
        }

        if (c == '_' || c == '.') {
            underscore = 1;
        }
    }

    if (!underscore) {
        return 0;
    }

    for (word = (u_char *) "method"; *word; word++) {

        if (c == NGX_DONE || ngx_tolower(c) != *word) {
            return 0;
        }

        c = ngx_http_flowdash_method_next(name);
    }

    return c == NGX_DONE
           || !(ngx_http_flowdash_method_is_word(c) || c == '_' || c == '-');
}


/* Returns the next byte or NGX_DONE; a wrong escape stays as it is. */

static ngx_int_t
ngx_http_flowdash_method_next(ngx_http_flowdash_method_text_t *text)
{
    u_char     *p;
    ngx_int_t   c;

    p = text->p;

    if (p == text->last) {
        return NGX_DONE;
    }

    text->p++;

    if (!text->encoded) {
        return *p;
    }

    if (*p == '+') {
        return ' ';
    }

    if (*p == '%' && text->last - p > 2) {

        c = ngx_hextoi(p + 1, 2);

        if (c != NGX_ERROR) {
            text->p += 2;
            return c;
        }
    }

    return *p;
}


static ngx_uint_t
ngx_http_flowdash_method_is_word(ngx_int_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z');
}
