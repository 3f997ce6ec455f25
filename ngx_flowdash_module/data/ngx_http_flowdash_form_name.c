
/*
 * Names of a form's pairs: which of them are fields of the task, by the
 * convention of brackets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_alias.h>
#include <ngx_http_flowdash_form_rules.h>
#include <ngx_http_flowdash_form_name.h>


static const char *ngx_http_flowdash_form_name_split(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *field,
    ngx_str_t *path, ngx_uint_t *found);
static const char *ngx_http_flowdash_form_name_follow(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *field,
    ngx_str_t *path, ngx_uint_t *found);
static const char *ngx_http_flowdash_form_name_index(
    ngx_http_flowdash_form_t *form, ngx_str_t *key, ngx_str_t *token);
static ngx_uint_t ngx_http_flowdash_form_name_brackets(ngx_str_t *path);
static ngx_uint_t ngx_http_flowdash_form_name_brackets_balanced(
    ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_form_name_looks_like(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *token);


ngx_int_t
ngx_http_flowdash_form_name(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_pair_t *pair, ngx_str_t *field)
{
    ngx_uint_t   found, rule;
    const char  *error;

    if (ngx_http_flowdash_form_rules_name(form, &pair->name) != NGX_OK) {
        return NGX_DECLINED;
    }

    form->rule = 0;

    error = ngx_http_flowdash_form_name_split(form, &pair->name, field,
                                              &pair->path, &found);

    if (error) {
        return ngx_http_flowdash_form_refuse_rule(form, form->rule,
                                                  form->offset, error);
    }

    if (found) {
        return ngx_http_flowdash_form_rules_field(form, field, &pair->path);
    }

    if (form->scalar && pair->path.len) {

        /* controller[] */

        form->nested = 1;
        return NGX_DONE;
    }

    rule = ngx_http_flowdash_form_alias_of_task(form, &pair->name);

    if (rule) {
        return ngx_http_flowdash_form_refuse_rule(form, rule, form->offset,
                             "a name that some apps take for one of the "
                             "task's names");
    }

    return NGX_DONE;
}


/*
 * Apps disagree on names with stray brackets, spaces or control characters;
 * some read them as names of the task's fields.  Returns an error, or NULL
 * with "found" telling whether it is a field.
 */

static const char *
ngx_http_flowdash_form_name_split(ngx_http_flowdash_form_t *form,
    ngx_str_t *name,
    ngx_str_t *field, ngx_str_t *path, ngx_uint_t *found)
{
    const char   *error;
    ngx_array_t  *pointer;

    *found = 0;
    ngx_str_null(path);

    pointer = form->pointer;

    if (!ngx_http_flowdash_form_name_brackets_balanced(name)
        || ngx_http_flowdash_text_check_utf8(name))
    {
        if (pointer->nelts
            && !ngx_http_flowdash_form_name_looks_like(form, name,
                                                       pointer->elts))
        {
            return NULL;
        }

        return "a name that is empty, or has stray brackets, spaces or "
               "control characters";
    }

    error = ngx_http_flowdash_form_name_follow(form, name, field, path, found);

    if (error || !*found) {
        return error;
    }

    if (form->value) {
        return "a value where the task should be";
    }

    if (field->len == 0 && !form->scalar) {
        return "an array where the task should be";
    }

    if (pointer->nelts + ngx_http_flowdash_form_name_brackets(path)
        > NGX_HTTP_FLOWDASH_FORM_DEPTH)
    {
        return "a name with too many brackets";
    }

    return NULL;
}


/*
 * Follows the pointer through the name.  The field's name comes after it, and
 * the path after the field.
 */

static const char *
ngx_http_flowdash_form_name_follow(ngx_http_flowdash_form_t *form,
    ngx_str_t *name,
    ngx_str_t *field, ngx_str_t *path, ngx_uint_t *found)
{
    u_char      *p, *last;
    ngx_str_t   *token, key;
    ngx_uint_t   n;

    token = form->pointer->elts;
    p = name->data;
    last = p + name->len;

    for (n = 0; /* void */ ; n++) {

        if (form->scalar && n == form->pointer->nelts) {
            *found = (p == last);
            *field = *name;

            path->data = p;
            path->len = last - p;

            return NULL;
        }

        if (p == last) {

            /* "?task=7" alone is probably something else */

            if (form->query && form->pairs == NULL) {
                form->value = 1;
                return NULL;
            }

            return "a value where the task should be";
        }

        if (n) {
            p++;
        }

        for (key.data = p; p < last && *p != '[' && *p != ']'; p++) {
            /* void */
        }

        key.len = p - key.data;

        if (n) {
            p++;
        }

        if (n == form->pointer->nelts) {
            break;
        }

        if (!ngx_http_flowdash_text_equal(&key, &token[n])) {
            /*
             * "[]" on the way is an index to PHP, a name to others; beside
             * the task it makes an array of what holds the task
             */

            if (n ? key.len == 0
                  : ngx_http_flowdash_form_name_looks_like(form, name, token))
            {
                return "a name that some apps take for one of the task's "
                       "names";
            }

            return n ? ngx_http_flowdash_form_name_index(form, &key, &token[n])
                     : NULL;
        }
    }

    *found = 1;
    *field = key;

    path->data = p;
    path->len = last - p;

    return NULL;
}


/*
 * To qs, a[5] is the first element of the array if there is no other, and a[7]
 * then is the second.
 */

static const char *
ngx_http_flowdash_form_name_index(ngx_http_flowdash_form_t *form,
    ngx_str_t *key, ngx_str_t *token)
{
    ngx_int_t  index, wanted;

    index = ngx_atoi(key->data, key->len);
    wanted = ngx_atoi(token->data, token->len);

    if (wanted == NGX_ERROR || index <= wanted) {
        return NULL;
    }

    if (wanted) {
        return "an index greater than the task's, which some apps take for "
               "the task's";
    }

    form->later_index = 1;

    return NULL;
}


ngx_int_t
ngx_http_flowdash_form_name_end(ngx_http_flowdash_form_t *form)
{
    /* with a[0], no other element is the first */

    if (form->later_index && form->pairs == NULL) {
        return ngx_http_flowdash_form_refuse(form,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED, form->offset,
                   "an index that some apps take for the task's");
    }

    if (form->nested && form->pairs) {
        return ngx_http_flowdash_form_refuse(form,
                   NGX_HTTP_FLOWDASH_FORM_MALFORMED, form->offset,
                   "a value that has members, too");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_flowdash_form_name_brackets(ngx_str_t *path)
{
    size_t      i;
    ngx_uint_t  n;

    n = 0;

    for (i = 0; i < path->len; i++) {
        n += (path->data[i] == '[');
    }

    return n;
}


/* tells whether a name is root[key][key]..., with or without keys */

static ngx_uint_t
ngx_http_flowdash_form_name_brackets_balanced(ngx_str_t *name)
{
    u_char      *p, *last;
    ngx_uint_t   inside, after;

    p = name->data;
    last = p + name->len;

    if (p == last || *p == '[' || *p == ' ' || last[-1] == ' ') {
        return 0;
    }

    inside = 0;
    after = 0;

    for ( /* void */ ; p < last; p++) {

        if (ngx_http_flowdash_text_class(*p) & NGX_HTTP_FLOWDASH_TEXT_CONTROL)
        {
            return 0;
        }

        if (*p == '[') {

            /* PHP reads "[ ]" as "[]"; a root has no space at its end */

            if (inside || (last - p > 1 && p[1] == ' ')
                || (!after && p[-1] == ' '))
            {
                return 0;
            }

            inside = 1;

        } else if (*p == ']') {

            if (!inside) {
                return 0;
            }

            inside = 0;
            after = 1;

        } else if (after && !inside) {
            return 0;
        }
    }

    return !inside;
}


/*
 * Rack skips some characters before a name, aiohttp and Netty skip others, and
 * "!" is Spring's default; express-fileupload leaves out each "]".  PHP turns
 * some characters into underscores.
 */

static ngx_uint_t
ngx_http_flowdash_form_name_looks_like(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_str_t *token)
{
    u_char      *p, *last, first;
    size_t       i;
    ngx_uint_t   php, rule;

    php = form->strict & NGX_HTTP_FLOWDASH_STRICT_PHP;
    rule = 0;

    /* nothing comes before the brackets of a root without characters */

    first = token->len ? token->data[0] : '[';

    p = name->data;
    last = p + name->len;

    for ( /* void */ ; p < last && *p != first; p++) {

        if (*p <= ' ' || *p == '[' || *p == ']') {
            continue;
        }

        if (!(form->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
            || *p == '.' || ngx_http_flowdash_text_begins_name(*p))
        {
            break;
        }

        rule = NGX_HTTP_FLOWDASH_STRICT_MEANING;
    }

    for (i = 0; i < token->len; i++, p++) {

        while (p < last && *p == ']') {
            p++;
        }

        if (p == last) {
            return 0;
        }

        if (*p != token->data[i]
            && (!php || token->data[i] != '_'
                || (*p != ' ' && *p != '.' && *p != '[')))
        {
            return 0;
        }
    }

    if (p < last && *p > ' ' && *p != '[' && *p != ']' && *p != 0x7f) {
        return 0;
    }

    form->rule = rule;

    return 1;
}
