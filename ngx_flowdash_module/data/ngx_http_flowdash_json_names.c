
/*
 * The names in a JSON text: those that parsers, binders or libraries of an app
 * could take for others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_hash.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_scan.h>
#include <ngx_http_flowdash_json_unescape.h>
#include <ngx_http_flowdash_json_names.h>


/* the longest name with a meaning, each character as an escape, and quotes */

#define NGX_HTTP_FLOWDASH_JSON_NAMES_MEANING                                  \
    (6 * (sizeof("constructor") - 1) + 2)


static ngx_int_t ngx_http_flowdash_json_names_decode(
    ngx_http_flowdash_json_names_t *names,
    ngx_http_flowdash_json_scan_t *scan);
static ngx_uint_t ngx_http_flowdash_json_names_has_meaning(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place);
static ngx_int_t ngx_http_flowdash_json_names_way(
    ngx_http_flowdash_json_names_t *names, ngx_str_t *wanted);
static ngx_int_t ngx_http_flowdash_json_names_add(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_scan_t *scan);
static uint32_t ngx_http_flowdash_json_names_put(
    ngx_http_flowdash_json_names_t *names, uint32_t hash, uint32_t n);
static ngx_int_t ngx_http_flowdash_json_names_grow(
    ngx_http_flowdash_json_names_t *names);
static void *ngx_http_flowdash_json_names_alloc(
    ngx_http_flowdash_json_names_t *names, size_t size);
static ngx_int_t ngx_http_flowdash_json_names_refuse(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t rule, const char *error);


#define ngx_http_flowdash_json_names_is(name, text)                           \
    (ngx_memcmp((name)->data, text, sizeof(text) - 1) == 0)


void
ngx_http_flowdash_json_names_start(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth)
{
    /* an element of an array has no name */

    names->constructor[depth + 1] = 0;
    names->outside[depth] = names->used;
}


void
ngx_http_flowdash_json_names_end(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth)
{
    /* the last one has found its slot as if there were no other: so it goes */

    while (names->used > names->outside[depth]) {
        names->slots[names->list[--names->used].slot] = 0;
    }
}


ngx_int_t
ngx_http_flowdash_json_names_check(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth, ngx_http_flowdash_json_place_e place,
    ngx_http_flowdash_json_scan_t *scan, ngx_str_t *wanted)
{
    ngx_int_t  rc;

    if (place == NGX_HTTP_FLOWDASH_JSON_BESIDE) {

        names->constructor[depth + 1] = 0;

        if (!(names->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
            || scan->end - scan->start
               > (ptrdiff_t) NGX_HTTP_FLOWDASH_JSON_NAMES_MEANING)
        {
            return NGX_OK;
        }
    }

    rc = ngx_http_flowdash_json_names_decode(names, scan);

    if (rc != NGX_OK) {
        return rc;
    }

    if ((names->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)
        && ngx_http_flowdash_json_names_has_meaning(names, depth, place))
    {
        return ngx_http_flowdash_json_names_refuse(names,
                                   NGX_HTTP_FLOWDASH_STRICT_MEANING,
                                   "a name that has a special meaning to some "
                                   "apps");
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_BESIDE) {
        return NGX_OK;
    }

    if (scan->half) {
        return ngx_http_flowdash_json_names_refuse(names, 0,
                                        "half of a surrogate pair in a name");
    }

    if ((names->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL) && scan->escaped
        && ngx_strlchr(names->name.data, names->name.data + names->name.len,
                       '\0'))
    {
        return ngx_http_flowdash_json_names_refuse(names,
                                            NGX_HTTP_FLOWDASH_STRICT_CONTROL,
                                            "a null character in a name");
    }

    switch (place) {

    case NGX_HTTP_FLOWDASH_JSON_VALUE:
        return ngx_http_flowdash_json_names_add(names, depth, scan);

    case NGX_HTTP_FLOWDASH_JSON_WAY:
        return ngx_http_flowdash_json_names_way(names, wanted);

    default:
        return NGX_OK;
    }
}


/* the name without escapes, in the text or in memory that is used again */

static ngx_int_t
ngx_http_flowdash_json_names_decode(ngx_http_flowdash_json_names_t *names,
    ngx_http_flowdash_json_scan_t *scan)
{
    size_t   len;
    u_char  *p;

    p = scan->start + 1;
    len = scan->end - 1 - p;

    if (!scan->escaped) {
        names->name.data = p;
        names->name.len = len;
        return NGX_OK;
    }

    if (names->room == NULL) {
        names->room = names->short_name;
        names->room_size = NGX_HTTP_FLOWDASH_JSON_NAMES_LEN;
    }

    if (len > names->room_size) {

        len = ngx_max(len, 2 * names->room_size);

        p = ngx_http_flowdash_json_names_alloc(names, len);

        if (p == NULL) {
            return (*names->size > names->max_size) ? NGX_DECLINED : NGX_ERROR;
        }

        if (names->room != names->short_name) {
            ngx_free(names->room);
        }

        names->room = p;
        names->room_size = len;
    }

    names->name.data = names->room;
    names->name.len = ngx_http_flowdash_json_unescape(names->room,
                                                      scan->start + 1,
                                                      scan->end - 1)
                      - names->room;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_json_names_way(ngx_http_flowdash_json_names_t *names,
    ngx_str_t *wanted)
{
    ngx_str_t  *name;

    name = &names->name;

    if ((names->strict & NGX_HTTP_FLOWDASH_STRICT_DOTS)
        && name->len > wanted->len
        && (name->data[wanted->len] == '.' || name->data[wanted->len] == '[')
        && ngx_strncmp(name->data, wanted->data, wanted->len) == 0)
    {
        return ngx_http_flowdash_json_names_refuse(names,
                             NGX_HTTP_FLOWDASH_STRICT_DOTS,
                             "a name that some apps take for a path");
    }

    if ((names->strict & NGX_HTTP_FLOWDASH_STRICT_CASE)
        && ngx_http_flowdash_fold_compare(name, wanted) == 0
        && !ngx_http_flowdash_text_equal(name, wanted))
    {
        return ngx_http_flowdash_json_names_refuse(names,
                             NGX_HTTP_FLOWDASH_STRICT_CASE,
                             "a name that differs only in case from one on "
                             "the way to the task");
    }

    return NGX_OK;
}


/*
 * Where a library merges the members of one object into another, "__proto__"
 * and constructor.prototype lead to what all objects inherit: the app finds
 * their members in objects that do not have them.  That they are not in the
 * task does not make them harmless.  Json.NET and fastjson replace an object
 * that has "$ref" by another one of the body, and Ruby's JSON.load() one that
 * has "json_class" by what that class makes of it.
 */

static ngx_uint_t
ngx_http_flowdash_json_names_has_meaning(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place)
{
    ngx_str_t  *name;

    name = &names->name;

    names->constructor[depth + 1] = 0;

    switch (name->len) {

    case sizeof("$ref") - 1:
        return place != NGX_HTTP_FLOWDASH_JSON_BESIDE
               && ngx_http_flowdash_json_names_is(name, "$ref");

    case sizeof("__proto__") - 1:
        return ngx_http_flowdash_json_names_is(name, "__proto__")
               || (names->constructor[depth]
                   && ngx_http_flowdash_json_names_is(name, "prototype"));

    case sizeof("json_class") - 1:
        return place != NGX_HTTP_FLOWDASH_JSON_BESIDE
               && ngx_http_flowdash_json_names_is(name, "json_class");

    case sizeof("constructor") - 1:
        names->constructor[depth + 1] =
                          ngx_http_flowdash_json_names_is(name, "constructor");
        return 0;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_flowdash_json_names_add(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth, ngx_http_flowdash_json_scan_t *scan)
{
    uint32_t                        i, n, hash;
    ngx_http_flowdash_json_name_t  *name;

    /* objects within objects may have the same names: each has its hashes */

    hash = (uint32_t) (ngx_http_flowdash_hash(&names->name) >> 32)
           + (uint32_t) depth * 0x9e3779b1;

    for (i = hash; names->used; i++) {

        n = names->slots[i & (2 * names->max - 1)];

        if (n == 0) {
            break;
        }

        name = &names->list[n - 1];

        if (name->hash == hash && n > names->outside[depth]
            && ngx_http_flowdash_json_unescape_is(&name->spelling,
                                                  &names->name))
        {
            return ngx_http_flowdash_json_names_refuse(names, 0,
                                "a name occurs twice in the value of a field");
        }
    }

    if (names->used == names->max
        && ngx_http_flowdash_json_names_grow(names) != NGX_OK)
    {
        return (*names->size > names->max_size) ? NGX_DECLINED : NGX_ERROR;
    }

    name = &names->list[names->used++];

    name->spelling.data = scan->start;
    name->spelling.len = scan->end - scan->start;
    name->hash = hash;
    name->slot = ngx_http_flowdash_json_names_put(names, hash, names->used);

    return NGX_OK;
}


static uint32_t
ngx_http_flowdash_json_names_put(ngx_http_flowdash_json_names_t *names,
    uint32_t hash, uint32_t n)
{
    uint32_t  i, slot;

    for (i = hash; /* void */ ; i++) {

        slot = i & (2 * names->max - 1);

        if (names->slots[slot] == 0) {
            names->slots[slot] = n;
            return slot;
        }
    }
}


static ngx_int_t
ngx_http_flowdash_json_names_grow(ngx_http_flowdash_json_names_t *names)
{
    size_t                          size;
    uint32_t                        i;
    ngx_http_flowdash_json_name_t  *list, *old;

    if (names->max == 0) {
        names->max = NGX_HTTP_FLOWDASH_JSON_NAMES_FEW;
        names->list = names->few;
        names->slots = names->few_slots;
        return NGX_OK;
    }

    old = names->list;
    size = 2 * names->max * (sizeof(ngx_http_flowdash_json_name_t)
                             + 2 * sizeof(uint32_t));

    list = ngx_http_flowdash_json_names_alloc(names, size);

    if (list == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(list, old,
               names->used * sizeof(ngx_http_flowdash_json_name_t));

    names->max *= 2;
    names->list = list;
    names->slots = (uint32_t *) &list[names->max];

    ngx_memzero(names->slots, 2 * names->max * sizeof(uint32_t));

    /* in the same order, so that each can be removed after those behind it */

    for (i = 0; i < names->used; i++) {
        list[i].slot = ngx_http_flowdash_json_names_put(names, list[i].hash,
                                                        i + 1);
    }

    if (old != names->few) {
        ngx_free(old);
    }

    return NGX_OK;
}


/* returns NULL also if that would be too much to be remembered */

static void *
ngx_http_flowdash_json_names_alloc(ngx_http_flowdash_json_names_t *names,
    size_t size)
{
    *names->size += size;

    return (*names->size > names->max_size) ? NULL
                                            : ngx_alloc(size, names->log);
}


void
ngx_http_flowdash_json_names_free(ngx_http_flowdash_json_names_t *names)
{
    if (names->list && names->list != names->few) {
        ngx_free(names->list);
    }

    if (names->room && names->room != names->short_name) {
        ngx_free(names->room);
    }
}


static ngx_int_t
ngx_http_flowdash_json_names_refuse(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t rule, const char *error)
{
    names->rule = rule;
    names->error = error;

    return NGX_DECLINED;
}
