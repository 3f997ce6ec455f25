
/*
 * Templates of a call's body: JSON or a form, with variables.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_embed.h>
#include <ngx_http_flowdash_template.h>


/*
 * A template while it is read.  "sample" is what it could become: its text,
 * with a plain value for each variable.
 */

typedef struct {
    ngx_pool_t                           *pool;
    ngx_array_t                          *parts;
    ngx_http_flowdash_template_error_t   *error;

    ngx_str_t                             text;
    u_char                               *last;
    u_char                               *p;

    ngx_str_t                             sample;
    size_t                                literal;   /* in the sample */

    u_char                               *variable;  /* in this string */
    ngx_uint_t                            in_string; /* or in a form's value */
} ngx_http_flowdash_template_t;


static ngx_int_t ngx_http_flowdash_template_begin(
    ngx_http_flowdash_template_t *t, ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_template_json_byte(
    ngx_http_flowdash_template_t *t);
static ngx_int_t ngx_http_flowdash_template_json_variable(
    ngx_http_flowdash_template_t *t);
static ngx_uint_t ngx_http_flowdash_template_is_name(
    ngx_http_flowdash_template_t *t);
static ngx_int_t ngx_http_flowdash_template_check(
    ngx_http_flowdash_template_t *t);
static ngx_int_t ngx_http_flowdash_template_form_byte(
    ngx_http_flowdash_template_t *t);
static ngx_int_t ngx_http_flowdash_template_form_variable(
    ngx_http_flowdash_template_t *t);
static ngx_int_t ngx_http_flowdash_template_variable(
    ngx_http_flowdash_template_t *t, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_template_is_json(ngx_str_t *name);
static ngx_int_t ngx_http_flowdash_template_add(
    ngx_http_flowdash_template_t *t, ngx_str_t *name,
    ngx_http_flowdash_template_place_e place, const char *value);
static ngx_int_t ngx_http_flowdash_template_end_text(
    ngx_http_flowdash_template_t *t);
static void ngx_http_flowdash_template_put(ngx_http_flowdash_template_t *t,
    u_char c);
static ngx_int_t ngx_http_flowdash_template_refuse(
    ngx_http_flowdash_template_t *t, ngx_str_t *text, u_char *bad,
    const char *reason);


static const yajl_callbacks  ngx_http_flowdash_template_callbacks = {
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


ngx_int_t
ngx_http_flowdash_template_json(ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_template_t  t;

    if (ngx_http_flowdash_template_begin(&t, text, parts, error, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (t.p < t.last) {

        rc = (*t.p == '$') ? ngx_http_flowdash_template_json_variable(&t)
                           : ngx_http_flowdash_template_json_byte(&t);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_http_flowdash_template_end_text(&t) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_template_check(&t);
}


static ngx_int_t
ngx_http_flowdash_template_begin(ngx_http_flowdash_template_t *t,
    ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool)
{
    ngx_memzero(t, sizeof(ngx_http_flowdash_template_t));

    t->pool = pool;
    t->parts = parts;
    t->error = error;
    t->text = *text;
    t->last = text->data + text->len;
    t->p = text->data;

    /* no byte becomes more than two, and the shortest variable has two */

    t->sample.data = ngx_pnalloc(pool, 2 * text->len);

    if (t->sample.data == NULL
        || ngx_array_init(parts, pool, 8,
                          sizeof(ngx_http_flowdash_template_part_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_template_json_byte(ngx_http_flowdash_template_t *t)
{
    u_char  c;

    c = *t->p++;

    if (!t->in_string) {
        t->in_string = (c == '"');
        t->variable = NULL;

        ngx_http_flowdash_template_put(t, c);

        return NGX_OK;
    }

    switch (c) {

    case '"':
        t->in_string = 0;
        break;

    case '\\':
        ngx_http_flowdash_template_put(t, c);

        if (t->p == t->last || *t->p == '$') {
            return ngx_http_flowdash_template_refuse(t, &t->text, t->p - 1,
                         "a backslash before something that it cannot escape");
        }

        c = *t->p++;
        break;

    /* nginx has made them of "\n", "\r" and "\t" in the configuration */

    case '\n':
        ngx_http_flowdash_template_put(t, '\\');
        c = 'n';
        break;

    case '\r':
        ngx_http_flowdash_template_put(t, '\\');
        c = 'r';
        break;

    case '\t':
        ngx_http_flowdash_template_put(t, '\\');
        c = 't';
        break;

    default:
        break;
    }

    ngx_http_flowdash_template_put(t, c);

    if (!t->in_string && t->variable && ngx_http_flowdash_template_is_name(t))
    {
        return ngx_http_flowdash_template_refuse(t, &t->text, t->variable,
                         "the name of a member cannot have a variable");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_template_json_variable(ngx_http_flowdash_template_t *t)
{
    u_char     *start;
    ngx_int_t   rc;
    ngx_str_t   name;

    start = t->p;

    rc = ngx_http_flowdash_template_variable(t, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    if (t->in_string) {

        if (ngx_http_flowdash_template_is_json(&name)) {
            return ngx_http_flowdash_template_refuse(t, &t->text, start,
                         "this variable is a complete JSON value, which "
                         "stands outside of quotes");
        }

        t->variable = start;

        return ngx_http_flowdash_template_add(t, &name,
                                           NGX_HTTP_FLOWDASH_TEMPLATE_STRING,
                                           "x");
    }

    if (!ngx_http_flowdash_template_is_json(&name)) {
        return ngx_http_flowdash_template_refuse(t, &t->text, start,
                         "outside of quotes, only a variable "
                         "$flowdash_json_... is JSON");
    }

    if (ngx_http_flowdash_template_is_name(t)) {
        return ngx_http_flowdash_template_refuse(t, &t->text, start,
                         "the name of a member cannot have a variable");
    }

    return ngx_http_flowdash_template_add(t, &name,
                                          NGX_HTTP_FLOWDASH_TEMPLATE_JSON,
                                          "null");
}


/* whether a colon follows */

static ngx_uint_t
ngx_http_flowdash_template_is_name(ngx_http_flowdash_template_t *t)
{
    u_char  *p;

    for (p = t->p; p < t->last; p++) {

        if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r') {
            return *p == ':';
        }
    }

    return 0;
}


/* whatever takes the place of a variable is a value, or text, as well */

static ngx_int_t
ngx_http_flowdash_template_check(ngx_http_flowdash_template_t *t)
{
    u_char                           *bad;
    size_t                            offset;
    ngx_int_t                         rc;
    yajl_handle                       yajl;
    ngx_http_flowdash_json_memory_t   memory;

    bad = ngx_http_flowdash_json_check_text(&t->sample);

    if (bad) {
        return ngx_http_flowdash_template_refuse(t, &t->sample, bad,
                         "a control character, or not UTF-8");
    }

    rc = ngx_http_flowdash_json_run(&memory,
                                    &ngx_http_flowdash_template_callbacks,
                                    NULL, &yajl, &t->sample, &offset,
                                    t->pool->log);

    if (rc == NGX_DECLINED) {
        return ngx_http_flowdash_template_refuse(t, &t->sample,
                         t->sample.data + ngx_min(offset, t->sample.len),
                         "this is not JSON");
    }

    if (rc == NGX_OK && ngx_http_flowdash_json_lone_surrogate(&t->sample)) {
        return ngx_http_flowdash_template_refuse(t, &t->sample,
                         t->sample.data, "half of a surrogate pair");
    }

    return rc;
}


ngx_int_t
ngx_http_flowdash_template_form(ngx_str_t *text, ngx_array_t *parts,
    ngx_http_flowdash_template_error_t *error, ngx_pool_t *pool)
{
    ngx_int_t                     rc;
    ngx_http_flowdash_template_t  t;

    if (ngx_http_flowdash_template_begin(&t, text, parts, error, pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    while (t.p < t.last) {

        rc = (*t.p == '$') ? ngx_http_flowdash_template_form_variable(&t)
                           : ngx_http_flowdash_template_form_byte(&t);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_flowdash_template_end_text(&t);
}


/* "in_string" is the value of a pair */

static ngx_int_t
ngx_http_flowdash_template_form_byte(ngx_http_flowdash_template_t *t)
{
    u_char  c, byte;

    c = *t->p;

    if (c <= 0x20 || c >= 0x7f) {
        return ngx_http_flowdash_template_refuse(t, &t->text, t->p,
                         "in a form, only visible characters of ASCII stand "
                         "for themselves; a space is written as %20");
    }

    if (c == '%'
        && (t->last - t->p < 3
            || ngx_http_flowdash_text_unescape(&byte, t->p, t->p + 3, 1)
               == NULL))
    {
        return ngx_http_flowdash_template_refuse(t, &t->text, t->p,
                         "a percent sign is written as %25");
    }

    if (c == '=') {
        t->in_string = 1;

    } else if (c == '&') {
        t->in_string = 0;
    }

    ngx_http_flowdash_template_put(t, c);
    t->p++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_template_form_variable(ngx_http_flowdash_template_t *t)
{
    u_char     *start;
    ngx_int_t   rc;
    ngx_str_t   name;

    start = t->p;

    rc = ngx_http_flowdash_template_variable(t, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!t->in_string) {
        return ngx_http_flowdash_template_refuse(t, &t->text, start,
                         "a variable stands after the \"=\" of a pair");
    }

    return ngx_http_flowdash_template_add(t, &name,
                                          NGX_HTTP_FLOWDASH_TEMPLATE_FORM,
                                          "x");
}


/* reads "$name" or "${name}" */

static ngx_int_t
ngx_http_flowdash_template_variable(ngx_http_flowdash_template_t *t,
    ngx_str_t *name)
{
    name->data = t->p;

    t->p = ngx_http_flowdash_text_variable_end(t->p, t->last);

    name->len = t->p - name->data;

    if (name->len < 2
        || (name->data[1] == '{'
            && (name->len < 4 || name->data[name->len - 1] != '}')))
    {
        return ngx_http_flowdash_template_refuse(t, &t->text, name->data,
                         "a \"$\" without the name of a variable; in JSON, "
                         "it is written as \\u0024, in a form as %24");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_template_is_json(ngx_str_t *name)
{
    u_char  *p;
    size_t   len;

    p = name->data + 1;
    len = name->len - 1;

    if (*p == '{') {
        p++;
        len--;
    }

    return len > sizeof("flowdash_json_") - 1
           && ngx_strncasecmp(p, (u_char *) "flowdash_json_",
                              sizeof("flowdash_json_") - 1)
              == 0;
}


static ngx_int_t
ngx_http_flowdash_template_add(ngx_http_flowdash_template_t *t,
    ngx_str_t *name, ngx_http_flowdash_template_place_e place,
    const char *value)
{
    ngx_http_flowdash_template_part_t  *part;

    if (ngx_http_flowdash_template_end_text(t) != NGX_OK) {
        return NGX_ERROR;
    }

    part = ngx_array_push(t->parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->text = *name;
    part->place = place;

    while (*value) {
        ngx_http_flowdash_template_put(t, *value++);
    }

    t->literal = t->sample.len;

    return NGX_OK;
}


/* what the sample has since the last variable is a part */

static ngx_int_t
ngx_http_flowdash_template_end_text(ngx_http_flowdash_template_t *t)
{
    ngx_http_flowdash_template_part_t  *part;

    if (t->literal == t->sample.len) {
        return NGX_OK;
    }

    part = ngx_array_push(t->parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    part->text.data = t->sample.data + t->literal;
    part->text.len = t->sample.len - t->literal;
    part->place = NGX_HTTP_FLOWDASH_TEMPLATE_TEXT;

    return NGX_OK;
}


static void
ngx_http_flowdash_template_put(ngx_http_flowdash_template_t *t, u_char c)
{
    t->sample.data[t->sample.len++] = c;
}


/* "bad" is a place in the text; what is around it is shown, up to a line */

static ngx_int_t
ngx_http_flowdash_template_refuse(ngx_http_flowdash_template_t *t,
    ngx_str_t *text, u_char *bad, const char *reason)
{
    u_char  *p, *last;

    last = text->data + text->len;

    /* a character of UTF-8 stays whole */

    for (p = bad; p > text->data && bad - p < 16 && p[-1] >= 0x20; p--) {
        /* void */
    }

    while (p < bad && (*p & 0xc0) == 0x80) {
        p++;
    }

    t->error->reason = reason;
    t->error->near.data = p;

    for (p = bad; p < last && p - bad < 24 && *p >= 0x20; p++) { /* void */ }

    while (p > bad && p < last && (*p & 0xc0) == 0x80) {
        p--;
    }

    t->error->near.len = p - t->error->near.data;

    return NGX_DECLINED;
}


size_t
ngx_http_flowdash_template_write(u_char *dst,
    ngx_http_flowdash_template_place_e place, ngx_str_t *value)
{
    u_char  *last;

    switch (place) {

    case NGX_HTTP_FLOWDASH_TEMPLATE_STRING:
        return ngx_http_flowdash_json_embed_text(dst, value);

    case NGX_HTTP_FLOWDASH_TEMPLATE_FORM:

        if (dst == NULL) {
            return value->len
                   + 2 * ngx_escape_uri(NULL, value->data, value->len,
                                        NGX_ESCAPE_URI_COMPONENT);
        }

        last = (u_char *) ngx_escape_uri(dst, value->data, value->len,
                                         NGX_ESCAPE_URI_COMPONENT);
        return last - dst;

    default:

        if (dst) {
            ngx_memcpy(dst, value->data, value->len);
        }

        return value->len;
    }
}
