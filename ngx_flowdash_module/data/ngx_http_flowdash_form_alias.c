
/*
 * Names that some apps read as others: in another case, with an underscore for
 * a dot or a space (PHP), or with dots instead of brackets (Koa, .NET).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_table.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_form_alias.h>


/* a name as some apps read it */

typedef struct {
    ngx_str_t    read;
    ngx_str_t    name;    /* as it is */
} ngx_http_flowdash_form_alias_t;


static ngx_uint_t ngx_http_flowdash_form_alias_begins_otherwise(
    ngx_http_flowdash_form_t *form, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_form_alias_leads(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_uint_t ways);
static ngx_uint_t ngx_http_flowdash_form_alias_same(ngx_str_t *key,
    ngx_str_t *token, ngx_uint_t ways);
static u_char *ngx_http_flowdash_form_alias_piece(u_char *p, u_char *last,
    ngx_uint_t ways);
static ngx_int_t ngx_http_flowdash_form_alias_judge(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *read,
    uint64_t hash);
static ngx_int_t ngx_http_flowdash_form_alias_mangle(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *mangled);
static uint64_t ngx_http_flowdash_form_alias_hash(
    ngx_http_flowdash_form_t *form, ngx_str_t *read);
static ngx_http_flowdash_form_alias_t *ngx_http_flowdash_form_alias_lookup(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_table_t *table,
    ngx_str_t *read, uint64_t hash);
static ngx_uint_t ngx_http_flowdash_form_alias_is(void *value,
    void *wanted);
static ngx_uint_t ngx_http_flowdash_form_alias_is_similar(void *value,
    void *wanted);
static ngx_int_t ngx_http_flowdash_form_alias_judge_dots(
    ngx_http_flowdash_form_t *form, ngx_str_t *name, ngx_str_t *read);
static ngx_uint_t ngx_http_flowdash_form_alias_is_dot(ngx_str_t *name,
    size_t i);
static ngx_int_t ngx_http_flowdash_form_alias_insert(
    ngx_http_flowdash_form_t *form, ngx_http_flowdash_table_t *table,
    ngx_str_t *read, uint64_t hash, ngx_str_t *name);


ngx_uint_t
ngx_http_flowdash_form_alias_of_task(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    ngx_uint_t  i, ways;

    /* no app has both underscores and brackets for dots */

    static ngx_uint_t  tries[] = {
        NGX_HTTP_FLOWDASH_STRICT_CASE,
        NGX_HTTP_FLOWDASH_STRICT_PHP,
        NGX_HTTP_FLOWDASH_STRICT_DOTS,
        NGX_HTTP_FLOWDASH_STRICT_PHP|NGX_HTTP_FLOWDASH_STRICT_CASE,
        NGX_HTTP_FLOWDASH_STRICT_DOTS|NGX_HTTP_FLOWDASH_STRICT_CASE,
        0
    };

    if (form->pointer->nelts == 0
        || ngx_http_flowdash_form_alias_begins_otherwise(form, name))
    {
        return 0;
    }

    for (i = 0; tries[i]; i++) {

        ways = tries[i];

        if ((ways & form->strict) == ways
            && ngx_http_flowdash_form_alias_leads(form, name, ways))
        {
            return (ways == NGX_HTTP_FLOWDASH_STRICT_CASE)
                   ? ways : ways & ~NGX_HTTP_FLOWDASH_STRICT_CASE;
        }
    }

    return 0;
}


/*
 * Most names begin with another letter than the task's, in any case and way of
 * reading them.
 */

static ngx_uint_t
ngx_http_flowdash_form_alias_begins_otherwise(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    u_char     *p, *last, c;
    ngx_str_t  *token;

    token = form->pointer->elts;

    p = name->data;
    last = p + name->len;

    while (p < last && (*p <= ' ' || *p == '[' || *p == ']')) {
        p++;
    }

    if (p == last || token->len == 0) {
        return 0;
    }

    c = token->data[0];

    /* what is not ASCII may fold to a letter, dots may be skipped */

    return c < 0x80 && *p < 0x80
           && c != '_' && c != '.' && c != ' ' && *p != '.'
           && ngx_tolower(c) != ngx_tolower(*p);
}


/* tells whether a name leads to the task if it is read in these ways */

static ngx_uint_t
ngx_http_flowdash_form_alias_leads(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_uint_t ways)
{
    u_char      *p, *last;
    ngx_str_t   *token, key;
    ngx_uint_t   n, dots, inside;

    dots = ways & NGX_HTTP_FLOWDASH_STRICT_DOTS;
    token = form->pointer->elts;

    p = name->data;
    last = p + name->len;

    while (p < last && (*p <= ' ' || *p == '[' || *p == ']'
                        || (dots && *p == '.')))
    {
        p++;
    }

    inside = 0;

    for (n = 0; n < form->pointer->nelts; n++) {

        for (key.data = p; p < last && *p != '[' && *p != ']'; p++) {
            if (dots && *p == '.') {
                break;
            }
        }

        key.len = p - key.data;

        if (!ngx_http_flowdash_form_alias_same(&key, &token[n],
                          n ? ways & ~NGX_HTTP_FLOWDASH_STRICT_PHP : ways))
        {
            return 0;
        }

        if (inside && p < last && *p == ']') {
            p++;
        }

        if (p == last) {

            /* a value; a query may have other ones of this name */

            return !form->query
                   || (form->scalar && n + 1 == form->pointer->nelts);
        }

        inside = (*p == '[' || (inside && *p == '.'));
        p++;
    }

    return 1;
}


/*
 * Compares a key of a name with a token of the pointer.  PHP's first key is
 * compared piece by piece, which its underscores separate.
 */

static ngx_uint_t
ngx_http_flowdash_form_alias_same(ngx_str_t *key, ngx_str_t *token,
    ngx_uint_t ways)
{
    u_char     *p, *q, *last_p, *last_q;
    ngx_str_t   a, b;

    p = key->data;
    last_p = p + key->len;

    q = token->data;
    last_q = q + token->len;

    for ( ;; ) {

        a.data = p;
        p = ngx_http_flowdash_form_alias_piece(p, last_p, ways);
        a.len = p - a.data;

        b.data = q;
        q = ngx_http_flowdash_form_alias_piece(q, last_q, ways);
        b.len = q - b.data;

        if ((ways & NGX_HTTP_FLOWDASH_STRICT_CASE)
            ? ngx_http_flowdash_fold_compare(&a, &b) != 0
            : !ngx_http_flowdash_text_equal(&a, &b))
        {
            return 0;
        }

        if (p == last_p || q == last_q) {
            return p == last_p && q == last_q;
        }

        p++;
        q++;
    }
}


static u_char *
ngx_http_flowdash_form_alias_piece(u_char *p, u_char *last, ngx_uint_t ways)
{
    if (!(ways & NGX_HTTP_FLOWDASH_STRICT_PHP)) {
        return last;
    }

    while (p < last && *p != '_' && *p != '.' && *p != ' ') {
        p++;
    }

    return p;
}


ngx_int_t
ngx_http_flowdash_form_alias_check(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    ngx_str_t  read;

    if (ngx_http_flowdash_form_alias_mangle(form, name, &read) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_form_alias_judge(form, name, &read,
                               ngx_http_flowdash_form_alias_hash(form, &read));
}


ngx_int_t
ngx_http_flowdash_form_alias_add(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    size_t     i;
    uint64_t   hash;
    ngx_int_t  rc;
    ngx_str_t  read, before;

    if (ngx_http_flowdash_form_alias_mangle(form, name, &read) != NGX_OK) {
        return NGX_ERROR;
    }

    hash = ngx_http_flowdash_form_alias_hash(form, &read);

    rc = ngx_http_flowdash_form_alias_judge(form, name, &read, hash);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_flowdash_form_alias_insert(form, &form->aliases, &read, hash,
                                             name);

    if (form->pointer->nelts
        || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_DOTS))
    {
        return rc;
    }

    before.data = name->data;

    for (i = 1; rc == NGX_OK && i < name->len; i++) {

        if (!ngx_http_flowdash_form_alias_is_dot(name, i)) {
            continue;
        }

        before.len = i;
        hash = ngx_http_flowdash_form_alias_hash(form, &before);

        if (ngx_http_flowdash_form_alias_lookup(form, &form->dotted, &before,
                                                hash)
            == NULL)
        {
            rc = ngx_http_flowdash_form_alias_insert(form, &form->dotted,
                                                     &before, hash, name);
        }
    }

    return rc;
}


/* "read" is the name as PHP has it */

static ngx_int_t
ngx_http_flowdash_form_alias_judge(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_str_t *read, uint64_t hash)
{
    ngx_http_flowdash_form_alias_t  *alias;

    alias = ngx_http_flowdash_form_alias_lookup(form, &form->aliases, read,
                                                hash);

    if (alias == NULL) {
        return ngx_http_flowdash_form_alias_judge_dots(form, name, read);
    }

    if (ngx_http_flowdash_text_equal(name, &alias->name)) {
        return NGX_DONE;
    }

    if (ngx_http_flowdash_fold_compare(name, &alias->name) == 0) {
        return ngx_http_flowdash_form_refuse_rule(form,
                   NGX_HTTP_FLOWDASH_STRICT_CASE, form->offset,
                   "two names that differ only in case");
    }

    return ngx_http_flowdash_form_refuse_rule(form,
               NGX_HTTP_FLOWDASH_STRICT_PHP, form->offset,
               "two names that PHP reads as one, because it replaces dots and "
               "spaces");
}


/*
 * Makes the name that PHP gives a field.  Below a pointer, names stand in
 * brackets, where PHP does not change them.
 */

static ngx_int_t
ngx_http_flowdash_form_alias_mangle(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_str_t *mangled)
{
    size_t  i;

    *mangled = *name;

    if (form->pointer->nelts
        || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_PHP)
        || (memchr(name->data, '.', name->len) == NULL
            && memchr(name->data, ' ', name->len) == NULL))
    {
        return NGX_OK;
    }

    mangled->data = ngx_pnalloc(form->pool, name->len);
    if (mangled->data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < name->len; i++) {
        mangled->data[i] = (name->data[i] == '.' || name->data[i] == ' ')
                           ? '_' : name->data[i];
    }

    return NGX_OK;
}


static uint64_t
ngx_http_flowdash_form_alias_hash(ngx_http_flowdash_form_t *form,
    ngx_str_t *read)
{
    return (form->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
           ? ngx_http_flowdash_fold_keyed_hash(read)
           : ngx_http_flowdash_hash(read);
}


static ngx_http_flowdash_form_alias_t *
ngx_http_flowdash_form_alias_lookup(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_table_t *table, ngx_str_t *read, uint64_t hash)
{
    return ngx_http_flowdash_table_find(table, hash,
                                   (form->strict
                                    & NGX_HTTP_FLOWDASH_STRICT_CASE)
                                   ? ngx_http_flowdash_form_alias_is_similar
                                   : ngx_http_flowdash_form_alias_is,
                                   read);
}


static ngx_uint_t
ngx_http_flowdash_form_alias_is(void *value, void *wanted)
{
    ngx_http_flowdash_form_alias_t  *alias = value;

    return ngx_http_flowdash_text_equal(&alias->read, wanted);
}


static ngx_uint_t
ngx_http_flowdash_form_alias_is_similar(void *value, void *wanted)
{
    ngx_http_flowdash_form_alias_t  *alias = value;

    return ngx_http_flowdash_form_alias_is(value, wanted)
           || ngx_http_flowdash_fold_compare(&alias->read, wanted) == 0;
}


/*
 * To Koa, "a.b" is a member of "a".  So where there is "a.b", there must be no
 * "a", and no "a[c]", which is of the field "a", too.
 */

static ngx_int_t
ngx_http_flowdash_form_alias_judge_dots(ngx_http_flowdash_form_t *form,
    ngx_str_t *name, ngx_str_t *read)
{
    size_t                           i;
    uint64_t                         hash;
    ngx_str_t                        before;
    ngx_uint_t                       found;
    ngx_http_flowdash_form_alias_t  *alias;

    if (form->pointer->nelts
        || !(form->strict & NGX_HTTP_FLOWDASH_STRICT_DOTS))
    {
        return NGX_OK;
    }

    hash = ngx_http_flowdash_form_alias_hash(form, name);

    found = (ngx_http_flowdash_form_alias_lookup(form, &form->dotted, name,
                                                 hash)
             != NULL);

    for (i = 1; !found && i < name->len; i++) {

        if (!ngx_http_flowdash_form_alias_is_dot(name, i)) {
            continue;
        }

        before.data = read->data;
        before.len = i;

        hash = ngx_http_flowdash_form_alias_hash(form, &before);
        alias = ngx_http_flowdash_form_alias_lookup(form, &form->aliases,
                                                    &before, hash);

        /* to PHP, another name may be the same */

        before.data = name->data;

        found = (alias
                 && ngx_http_flowdash_form_alias_same(&before, &alias->name,
                          form->strict & NGX_HTTP_FLOWDASH_STRICT_CASE));
    }

    if (found) {
        return ngx_http_flowdash_form_refuse_rule(form,
                   NGX_HTTP_FLOWDASH_STRICT_DOTS, form->offset,
                   "a name with a dot that some apps take for a member of "
                   "another field");
    }

    return NGX_OK;
}


/* tells whether a member's name begins behind name->data[i] */

static ngx_uint_t
ngx_http_flowdash_form_alias_is_dot(ngx_str_t *name, size_t i)
{
    return name->data[i] == '.'
           && i + 1 < name->len && name->data[i + 1] != '.';
}


static ngx_int_t
ngx_http_flowdash_form_alias_insert(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_table_t *table, ngx_str_t *read, uint64_t hash,
    ngx_str_t *name)
{
    ngx_http_flowdash_form_alias_t  *alias;

    alias = ngx_palloc(form->pool, sizeof(ngx_http_flowdash_form_alias_t));
    if (alias == NULL) {
        return NGX_ERROR;
    }

    alias->read = *read;
    alias->name = *name;

    return ngx_http_flowdash_table_add(table, hash, alias, form->pool);
}


size_t
ngx_http_flowdash_form_alias_size(ngx_http_flowdash_form_t *form,
    ngx_str_t *name)
{
    size_t  size, i, n;

    n = 1;
    size = sizeof(ngx_http_flowdash_form_alias_t)
           + NGX_HTTP_FLOWDASH_TABLE_ENTRY;

    if (form->pointer->nelts) {
        return size;
    }

    for (i = 0; i < name->len; i++) {
        n += (name->data[i] == '.');
    }

    return n * size + name->len;
}


void
ngx_http_flowdash_form_alias_mark(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_mark_t *mark)
{
    mark->aliases = form->aliases.used;
    mark->dotted = form->dotted.used;
}


void
ngx_http_flowdash_form_alias_remove(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_mark_t *mark)
{
    ngx_http_flowdash_table_shorten(&form->aliases, mark->aliases);
    ngx_http_flowdash_table_shorten(&form->dotted, mark->dotted);
}
