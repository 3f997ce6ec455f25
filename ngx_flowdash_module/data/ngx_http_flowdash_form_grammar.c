
/*
 * The grammar of application/x-www-form-urlencoded, as browsers and common
 * clients write it.  It judges the bytes before they are decoded: what is
 * outside, some parsers read in another way.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_text_plain.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_grammar.h>


static ngx_uint_t ngx_http_flowdash_form_grammar_is_json(u_char *p,
    u_char *last);
static ngx_uint_t ngx_http_flowdash_form_grammar_leads(u_char *p,
    u_char *last, ngx_str_t *token);
static u_char ngx_http_flowdash_form_grammar_byte(u_char **p, u_char *last);
static ngx_uint_t ngx_http_flowdash_form_grammar_is_ascii(ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_form_grammar_bytes(
    ngx_http_flowdash_form_t *form, ngx_str_t *text, u_char *p, u_char *last);
static ngx_uint_t ngx_http_flowdash_form_grammar_name_byte(u_char c);
static ngx_uint_t ngx_http_flowdash_form_grammar_value_byte(u_char c,
    ngx_uint_t query);
static u_char *ngx_http_flowdash_form_grammar_value(u_char *p, u_char *last);
static u_char *ngx_http_flowdash_form_grammar_bracket(u_char *p,
    u_char *last);


ngx_int_t
ngx_http_flowdash_form_grammar_text(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    u_char  *p, *last;

    p = text->data;
    last = p + text->len;

    if (form->ascii && !ngx_http_flowdash_form_grammar_is_ascii(text)) {
        return ngx_http_flowdash_form_refuse(form,
                   NGX_HTTP_FLOWDASH_FORM_CHARSET, 0,
                   "characters that are not ASCII, but the Content-Type names "
                   "a charset other than UTF-8");
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_JSON) && !form->query
        && ngx_http_flowdash_form_grammar_is_json(p, last))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_JSON;

        return ngx_http_flowdash_form_refuse(form,
                   NGX_HTTP_FLOWDASH_FORM_TYPE, 0,
                   "JSON sent as application/x-www-form-urlencoded; its "
                   "Content-Type should be application/json");
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_BOM)
        && text->len >= 3 && ngx_strncmp(p, "\xef\xbb\xbf", 3) == 0)
    {
        return ngx_http_flowdash_form_refuse_rule(form,
                   NGX_HTTP_FLOWDASH_STRICT_BOM, 0, "a byte order mark");
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_RAW)
        && text->len && last[-1] == ' ')
    {
        return ngx_http_flowdash_form_refuse_rule(form,
                   NGX_HTTP_FLOWDASH_STRICT_RAW, text->len - 1,
                   "a space at the end, which some apps drop");
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL) && text->len) {

        /* URLSearchParams takes it for the beginning of a query */

        if (*p == '?') {
            return ngx_http_flowdash_form_refuse_rule(form,
                       NGX_HTTP_FLOWDASH_STRICT_CONTROL, 0,
                       "a question mark at the beginning");
        }

        if (last[-1] == LF || last[-1] == CR) {
            return ngx_http_flowdash_form_refuse_rule(form,
                       NGX_HTTP_FLOWDASH_STRICT_CONTROL, text->len - 1,
                       "a newline at the end, which curl's --data-binary "
                       "keeps from a file and -d removes");
        }
    }

    return NGX_OK;
}


/*
 * Tells whether this is the beginning of an object or array.  White space, a
 * byte order mark, or a comment may come first: some parsers skip them.
 */

static ngx_uint_t
ngx_http_flowdash_form_grammar_is_json(u_char *p, u_char *last)
{
    u_char      c;
    ngx_uint_t  array;

    if (last - p >= 3 && ngx_strncmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    array = 0;

    for ( /* void */ ; p < last; p++) {

        c = *p;

        if (c == ' ' || c == '\t' || c == CR || c == LF) {
            continue;
        }

        if (c == '[') {
            array = 1;
            continue;
        }

        /* "[a]=1" is a form */

        return c == '{' || (array && c == '"')
               || (c == '/' && last - p > 1 && (p[1] == '/' || p[1] == '*'));
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_form_grammar_is_ascii(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p >= 0x80) {
            return 0;
        }

        if (*p == '%' && last - p >= 3 && ngx_hextoi(p + 1, 2) >= 0x80) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_flowdash_form_grammar_pair(ngx_http_flowdash_form_t *form,
    ngx_str_t *text, u_char *p, u_char *last)
{
    u_char     *value, *end;
    ngx_int_t   rc;

    if (!ngx_http_flowdash_text_plain_pair(p, last)) {

        rc = ngx_http_flowdash_form_grammar_bytes(form, text, p, last);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!(form->strict & NGX_HTTP_FLOWDASH_STRICT_RAW)) {
        return NGX_OK;
    }

    value = ngx_http_flowdash_form_grammar_value(p, last);
    end = ngx_http_flowdash_form_grammar_bracket(p, last);

    if (end && end != value) {
        return ngx_http_flowdash_form_refuse_rule(form,
                   NGX_HTTP_FLOWDASH_STRICT_RAW, end - text->data,
                   "\"]=\" in a value, where some apps end the name");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_form_grammar_bytes(ngx_http_flowdash_form_t *form,
    ngx_str_t *text, u_char *p, u_char *last)
{
    u_char      *value, *end;
    ngx_str_t    pair;
    const char  *error;

    pair.data = p;
    pair.len = last - p;

    if (form->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL) {

        end = ngx_http_flowdash_text_find(&pair,
                                          NGX_HTTP_FLOWDASH_TEXT_CONTROL);
        if (end) {
            return ngx_http_flowdash_form_refuse_rule(form,
                       NGX_HTTP_FLOWDASH_STRICT_CONTROL, end - text->data,
                       "a control character that is not escaped");
        }
    }

    if (!(form->strict & NGX_HTTP_FLOWDASH_STRICT_RAW)) {
        return NGX_OK;
    }

    value = ngx_http_flowdash_form_grammar_value(p, last);

    for (end = p; end < value; end++) {
        if (!ngx_http_flowdash_form_grammar_name_byte(*end)) {
            error = "a byte in a name that has to be escaped";
            goto refused;
        }
    }

    for ( /* void */ ; end < last; end++) {
        if (!ngx_http_flowdash_form_grammar_value_byte(*end, form->query)) {
            error = "a byte in a value that has to be escaped";
            goto refused;
        }
    }

    return NGX_OK;

refused:

    return ngx_http_flowdash_form_refuse_rule(form,
               NGX_HTTP_FLOWDASH_STRICT_RAW, end - text->data, error);
}


/*
 * Formidable clears the highest bit of each byte, which makes separators of
 * some.  A brace may begin JSON.
 */

static ngx_uint_t
ngx_http_flowdash_form_grammar_name_byte(u_char c)
{
    switch (c) {

    case ' ':
    case '"':
    case '#':
    case '<':
    case '>':
    case '{':
        return 0;

    default:
        return c < 0x80;
    }
}


/* in bodies, curl -d leaves spaces and quotes as they are */

static ngx_uint_t
ngx_http_flowdash_form_grammar_value_byte(u_char c, ngx_uint_t query)
{
    switch (c) {

    case ' ':
    case '"':
        return !query;

    case '#':
    case '<':
    case '>':
        return 0;

    default:
        return c < 0x80;
    }
}


/* returns where the name ends: at the first "=", or at "last" */

static u_char *
ngx_http_flowdash_form_grammar_value(u_char *p, u_char *last)
{
    u_char  *value;

    value = memchr(p, '=', last - p);

    return value ? value : last;
}


/*
 * Returns the first "=" behind a closing bracket, which may be escaped, or
 * NULL.  There qs ends the name.
 */

static u_char *
ngx_http_flowdash_form_grammar_bracket(u_char *p, u_char *last)
{
    u_char  *start;

    for (start = p; (p = memchr(p, '=', last - p)); p++) {

        if (p == start) {
            continue;
        }

        if (p[-1] == ']'
            || (p - start >= 3
                && ngx_strncasecmp(p - 3, (u_char *) "%5d", 3) == 0))
        {
            return p;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_flowdash_form_grammar_in_json(ngx_str_t *text, ngx_array_t *pointer)
{
    u_char     *p, *last;
    ngx_str_t  *token;

    if (pointer->nelts == 0) {
        return 0;
    }

    token = pointer->elts;

    p = text->data;
    last = p + text->len;

    while ((p = memchr(p, '&', last - p))) {

        if (ngx_http_flowdash_form_grammar_leads(++p, last, token)) {
            return 1;
        }
    }

    return 0;
}


/* tells whether a pair at "p" has a name like task[Stage] or task.Stage */

static ngx_uint_t
ngx_http_flowdash_form_grammar_leads(u_char *p, u_char *last,
    ngx_str_t *token)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < token->len; i++) {

        c = ngx_http_flowdash_form_grammar_byte(&p, last);

        if (c != token->data[i]) {
            return 0;
        }
    }

    c = ngx_http_flowdash_form_grammar_byte(&p, last);

    return c == '[' || c == '.';
}


/* returns the next decoded byte, or 0 at the end */

static u_char
ngx_http_flowdash_form_grammar_byte(u_char **p, u_char *last)
{
    ngx_int_t  n;

    if (*p == last) {
        return 0;
    }

    if (**p == '%' && last - *p >= 3) {

        n = ngx_hextoi(*p + 1, 2);

        if (n != NGX_ERROR) {
            *p += 3;
            return (u_char) n;
        }
    }

    return *(*p)++;
}
