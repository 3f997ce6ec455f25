
/*
 * The rules of flowdash_strict for names and values that are decoded: those of
 * any form, and those that a form is to get.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_rules.h>


static const char *ngx_http_flowdash_form_rules_text(
    ngx_http_flowdash_form_t *form, ngx_str_t *text);
static const char *ngx_http_flowdash_form_rules_dots(
    ngx_http_flowdash_form_t *form, ngx_str_t *field);
static ngx_uint_t ngx_http_flowdash_form_rules_prototype(ngx_str_t *text);
static ngx_uint_t ngx_http_flowdash_form_rules_contains(ngx_str_t *text,
    const char *part);


/* what every object of JavaScript has; qs leaves such names out */

static ngx_str_t  ngx_http_flowdash_form_rules_members[] = {
    ngx_string("__defineGetter__"),
    ngx_string("__defineSetter__"),
    ngx_string("__lookupGetter__"),
    ngx_string("__lookupSetter__"),
    ngx_string("__proto__"),
    ngx_string("constructor"),
    ngx_string("hasOwnProperty"),
    ngx_string("isPrototypeOf"),
    ngx_string("propertyIsEnumerable"),
    ngx_string("toLocaleString"),
    ngx_string("toString"),
    ngx_string("valueOf"),
    ngx_null_string
};


ngx_int_t
ngx_http_flowdash_form_rules_name(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    const char  *error;

    error = ngx_http_flowdash_form_rules_text(form, name);

    if (error == NULL
        && (form->strict & NGX_HTTP_FLOWDASH_STRICT_BOM)
        && name->len >= 3 && ngx_strncmp(name->data, "\xef\xbb\xbf", 3) == 0)
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_BOM;
        error = "a byte order mark before a name";
    }

    if (error == NULL
        && (form->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && (ngx_http_flowdash_form_rules_contains(name, "['")
            || ngx_http_flowdash_form_rules_contains(name, "[\"")))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_MEANING;
        error = "a name with quotes, which Spring removes";
    }

    if (error == NULL
        && (form->strict & NGX_HTTP_FLOWDASH_STRICT_RAW)
        && ngx_http_flowdash_text_check_utf8(name))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_RAW;
        error = "a name that is not UTF-8";
    }

    if (error) {
        return ngx_http_flowdash_form_refuse_rule(form, form->rule,
                                                  form->offset, error);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_form_rules_field(ngx_http_flowdash_form_t *form,
    ngx_str_t *field, ngx_str_t *path)
{
    u_char      *p, *last;
    ngx_str_t    key;
    ngx_uint_t   depth;
    const char  *error;

    error = ngx_http_flowdash_form_rules_dots(form, field);

    if (error == NULL) {
        error = ngx_http_flowdash_form_rules_key(form, field);
    }

    depth = form->pointer->nelts;

    p = path->data;
    last = p + path->len;

    while (error == NULL && p < last) {

        key.data = ++p;

        while (*p != ']') {
            p++;
        }

        key.len = p++ - key.data;
        depth++;

        error = ngx_http_flowdash_form_rules_key(form, &key);
    }

    if (error == NULL && depth > ngx_http_flowdash_form_rules_depth(form)) {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_FIELDS;
        error = "a name with more brackets than Express reads in a query";
    }

    if (error) {
        return ngx_http_flowdash_form_refuse_rule(form, form->rule,
                                                  form->offset, error);
    }

    return NGX_OK;
}


/* what also holds for a part of a name */

static const char *
ngx_http_flowdash_form_rules_text(ngx_http_flowdash_form_t *form,
    ngx_str_t *text)
{
    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL)
        && ngx_http_flowdash_text_find(text, NGX_HTTP_FLOWDASH_TEXT_CONTROL))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_CONTROL;
        return "a name with a control character";
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_WORDS)
        && ngx_http_flowdash_form_rules_encoded_word(text))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_WORDS;
        return "a name with an encoded word, =?...?=";
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && (ngx_http_flowdash_form_rules_contains(text, "__proto__")
            || ngx_http_flowdash_form_rules_prototype(text)))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_MEANING;
        return "a name that changes all objects in some apps";
    }

    return NULL;
}


const char *
ngx_http_flowdash_form_rules_key(ngx_http_flowdash_form_t *form,
    ngx_str_t *key)
{
    ngx_str_t   *member;
    const char  *error;

    error = ngx_http_flowdash_form_rules_text(form, key);

    if (error || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)) {
        return error;
    }

    for (member = ngx_http_flowdash_form_rules_members; member->len; member++)
    {
        if (key->len == member->len
            && ngx_memcmp(key->data, member->data, key->len) == 0)
        {
            form->rule = NGX_HTTP_FLOWDASH_STRICT_MEANING;
            return "a name that every JavaScript object has";
        }
    }

    /* a leading dot has a rule of its own */

    if (key->len && key->data[0] != '.'
        && !ngx_http_flowdash_text_begins_name(key->data[0]))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_MEANING;
        return "a name that some apps read without its first character";
    }

    return NULL;
}


/* without a pointer, the field is the first segment, where dots may count */

static const char *
ngx_http_flowdash_form_rules_dots(ngx_http_flowdash_form_t *form,
    ngx_str_t *field)
{
    size_t       i;
    ngx_uint_t   n, member, lost;
    const char  *error;

    if (form->pointer->nelts
        || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_DOTS))
    {
        return NULL;
    }

    n = 0;
    member = 0;
    lost = 0;

    for (i = 0; i < field->len; i++) {

        if (field->data[i] != '.') {
            continue;
        }

        n++;

        if (i + 1 < field->len && field->data[i + 1] != '.') {
            member = 1;

        } else {

            /* qs reads "a.b." as "a[b]" */

            lost |= member;
        }
    }

    if (n && field->data[0] == '.') {
        error = "a name that begins with a dot";

    } else if (n > NGX_HTTP_FLOWDASH_FORM_DEPTH) {
        error = "a name with too many dots";

    } else if (lost) {
        error = "a name with a dot that some apps drop";

    } else {
        return NULL;
    }

    form->rule = NGX_HTTP_FLOWDASH_STRICT_DOTS;

    return error;
}


/* tells whether a name leads to constructor[prototype], at any depth */

static ngx_uint_t
ngx_http_flowdash_form_rules_prototype(ngx_str_t *text)
{
    u_char  *p, *next, *last;
    size_t   len;

    static u_char  constructor[] = "constructor";
    static u_char  prototype[] = "prototype";

    len = sizeof(constructor) - 1;

    p = text->data;
    last = p + text->len;

    for ( /* void */ ; (size_t) (last - p) > len; p++) {

        p = memchr(p, constructor[0], last - p - len);

        if (p == NULL) {
            return 0;
        }

        if (ngx_memcmp(p, constructor, len) != 0) {
            continue;
        }

        next = p + len;

        while (next < last && (*next == '[' || *next == ']' || *next == '.')) {
            next++;
        }

        if (next > p + len
            && (size_t) (last - next) >= sizeof(prototype) - 1
            && ngx_memcmp(next, prototype, sizeof(prototype) - 1) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_form_rules_encoded_word(ngx_str_t *text)
{
    u_char     *p, *last;
    ngx_str_t   rest;

    p = text->data;
    last = p + text->len;

    for ( /* void */ ; last - p > 2; p++) {

        p = memchr(p, '=', last - p - 2);

        if (p == NULL) {
            return 0;
        }

        if (p[1] == '?') {
            rest.data = p + 2;
            rest.len = last - rest.data;

            return ngx_http_flowdash_form_rules_contains(&rest, "?=");
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_flowdash_form_rules_contains(ngx_str_t *text, const char *part)
{
    ngx_str_t  s;

    s.data = (u_char *) part;
    s.len = ngx_strlen(part);

    return ngx_http_flowdash_text_contains(text, &s);
}


/* Rack and others cut a value at a NUL; undici leaves out a BOM before it */

const char *
ngx_http_flowdash_form_rules_value(ngx_http_flowdash_form_t *form,
    ngx_str_t *value)
{
    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL)
        && value->len && memchr(value->data, '\0', value->len))
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_CONTROL;
        return "a value with a NUL, where some apps end it";
    }

    if ((form->strict & NGX_HTTP_FLOWDASH_STRICT_BOM)
        && form->boundary.len
        && value->len >= 3 && ngx_strncmp(value->data, "\xef\xbb\xbf", 3) == 0)
    {
        form->rule = NGX_HTTP_FLOWDASH_STRICT_BOM;
        return "a byte order mark before a value";
    }

    if (form->ascii
        && ngx_http_flowdash_text_find(value, NGX_HTTP_FLOWDASH_TEXT_HIGH))
    {
        return "a value that is not ASCII, in a form that is not UTF-8";
    }

    return NULL;
}


ngx_uint_t
ngx_http_flowdash_form_rules_depth(ngx_http_flowdash_form_t *form)
{
    if (form->query && (form->strict & NGX_HTTP_FLOWDASH_STRICT_FIELDS)) {
        return NGX_HTTP_FLOWDASH_FORM_QUERY_DEPTH;
    }

    return NGX_HTTP_FLOWDASH_FORM_DEPTH;
}
