
/*
 * The names of the rules of flowdash_strict.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_strict.h>


/* in the order of the bits */

static const char  *ngx_http_flowdash_strict_names[] = {
    "json",
    "bom",
    "control",
    "dots",
    "case",
    "php",
    "parts",
    "words",
    "query",
    "fields",
    "meaning",
    "raw",
    "type",
    NULL
};


const char *
ngx_http_flowdash_strict_name(ngx_uint_t rule)
{
    const char  **name;

    for (name = ngx_http_flowdash_strict_names; rule > 1; rule >>= 1) {
        name++;
    }

    return *name;
}


ngx_uint_t
ngx_http_flowdash_strict_rule(ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_flowdash_strict_names[i]; i++) {
        if (name->len == ngx_strlen(ngx_http_flowdash_strict_names[i])
            && ngx_strncmp(name->data, ngx_http_flowdash_strict_names[i],
                           name->len)
               == 0)
        {
            return (ngx_uint_t) 1 << i;
        }
    }

    return 0;
}


const char *
ngx_http_flowdash_strict_choice(ngx_pool_t *pool)
{
    u_char       *text, *p;
    size_t        len;
    const char  **name;

    static const char  before[] = "a rule is one of ";
    static const char  after[] = "; \"all -rule\" means all but this one";

    len = sizeof(before) + sizeof(after);

    for (name = ngx_http_flowdash_strict_names; *name; name++) {
        len += ngx_strlen(*name) + sizeof(", ") - 1;
    }

    text = ngx_pnalloc(pool, len);
    if (text == NULL) {
        return NULL;
    }

    p = ngx_cpymem(text, before, sizeof(before) - 1);

    for (name = ngx_http_flowdash_strict_names; *name; name++) {
        p = ngx_sprintf(p, "%s%s", *name, name[1] ? ", " : "");
    }

    ngx_memcpy(p, after, sizeof(after));

    return (const char *) text;
}


const char *
ngx_http_flowdash_strict_error(ngx_pool_t *pool, ngx_uint_t rule,
    const char *error)
{
    u_char      *p;
    size_t       len;
    const char  *name;

    name = ngx_http_flowdash_strict_name(rule);

    len = ngx_strlen(error) + sizeof(" (flowdash_strict )") + ngx_strlen(name);

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NULL;
    }

    (void) ngx_snprintf(p, len, "%s (flowdash_strict %s)%Z", error, name);

    return (const char *) p;
}
