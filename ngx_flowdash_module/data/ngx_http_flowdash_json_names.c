
/*
 * The names in a JSON text: those that parsers, binders or libraries of an app
 * could take for others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_strict.h>
#include <ngx_http_flowdash_fold.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_json_names.h>


static ngx_uint_t ngx_http_flowdash_json_names_has_meaning(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t depth,
    ngx_http_flowdash_json_place_e place, ngx_str_t *name);
static ngx_uint_t ngx_http_flowdash_json_names_is(ngx_str_t *name,
    const char *text);
static ngx_int_t ngx_http_flowdash_json_names_add(
    ngx_http_flowdash_json_names_t *names, ngx_str_t *name);
static void *ngx_http_flowdash_json_names_alloc(
    ngx_http_flowdash_json_names_t *names, size_t size);
static ngx_int_t ngx_http_flowdash_json_names_refuse(
    ngx_http_flowdash_json_names_t *names, ngx_uint_t rule, const char *error);


ngx_int_t
ngx_http_flowdash_json_names_start(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth, ngx_http_flowdash_json_place_e place)
{
    ngx_http_flowdash_json_object_t  *object, **link;

    /* an element of an array has no name */

    names->constructor[depth + 1] = 0;

    if (place != NGX_HTTP_FLOWDASH_JSON_VALUE) {
        return NGX_OK;
    }

    link = names->object ? &names->object->inner : &names->outermost;
    object = *link;

    if (object == NULL) {

        object = ngx_http_flowdash_json_names_alloc(names,
                                      sizeof(ngx_http_flowdash_json_object_t));
        if (object == NULL) {
            return NGX_DECLINED;
        }

        object->outer = names->object;
        object->inner = NULL;
        object->first = NULL;

        *link = object;
    }

    ngx_rbtree_init(&object->names, &object->sentinel,
                    ngx_str_rbtree_insert_value);

    names->object = object;

    return NGX_OK;
}


void
ngx_http_flowdash_json_names_end(ngx_http_flowdash_json_names_t *names,
    ngx_http_flowdash_json_place_e place)
{
    ngx_http_flowdash_json_name_t    *name;
    ngx_http_flowdash_json_object_t  *object;

    if (place != NGX_HTTP_FLOWDASH_JSON_VALUE) {
        return;
    }

    object = names->object;

    while (object->first) {
        name = object->first;
        object->first = name->next;

        name->next = names->free;
        names->free = name;
    }

    names->object = object->outer;
}


ngx_int_t
ngx_http_flowdash_json_names_check(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth, ngx_http_flowdash_json_place_e place, ngx_str_t *name,
    ngx_str_t *spelling, ngx_str_t *wanted)
{
    if (ngx_http_flowdash_json_names_has_meaning(names, depth, place, name)) {
        return ngx_http_flowdash_json_names_refuse(names,
                                   NGX_HTTP_FLOWDASH_STRICT_MEANING,
                                   "a name that has a special meaning to some "
                                   "apps");
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_BESIDE) {
        return NGX_OK;
    }

    if (ngx_http_flowdash_json_lone_surrogate(spelling)) {
        return ngx_http_flowdash_json_names_refuse(names, 0,
                                        "half of a surrogate pair in a name");
    }

    if (names->strict & NGX_HTTP_FLOWDASH_STRICT_CONTROL
        && ngx_strlchr(name->data, name->data + name->len, '\0'))
    {
        return ngx_http_flowdash_json_names_refuse(names,
                                            NGX_HTTP_FLOWDASH_STRICT_CONTROL,
                                            "a null character in a name");
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_VALUE) {
        return ngx_http_flowdash_json_names_add(names, name);
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_WAY
        && names->strict & NGX_HTTP_FLOWDASH_STRICT_DOTS
        && name->len > wanted->len
        && (name->data[wanted->len] == '.' || name->data[wanted->len] == '[')
        && ngx_strncmp(name->data, wanted->data, wanted->len) == 0)
    {
        return ngx_http_flowdash_json_names_refuse(names,
                             NGX_HTTP_FLOWDASH_STRICT_DOTS,
                             "a name that some apps take for a path");
    }

    if (place == NGX_HTTP_FLOWDASH_JSON_WAY
        && names->strict & NGX_HTTP_FLOWDASH_STRICT_CASE
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
ngx_http_flowdash_json_names_has_meaning(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t depth, ngx_http_flowdash_json_place_e place, ngx_str_t *name)
{
    if (!(names->strict & NGX_HTTP_FLOWDASH_STRICT_MEANING)) {
        return 0;
    }

    names->constructor[depth + 1] =
                          ngx_http_flowdash_json_names_is(name, "constructor");

    if (ngx_http_flowdash_json_names_is(name, "__proto__")
        || (names->constructor[depth]
            && ngx_http_flowdash_json_names_is(name, "prototype")))
    {
        return 1;
    }

    return place != NGX_HTTP_FLOWDASH_JSON_BESIDE
           && (ngx_http_flowdash_json_names_is(name, "$ref")
               || ngx_http_flowdash_json_names_is(name, "json_class"));
}


static ngx_uint_t
ngx_http_flowdash_json_names_is(ngx_str_t *name, const char *text)
{
    return name->len == ngx_strlen(text)
           && ngx_memcmp(name->data, text, name->len) == 0;
}


/*
 * The tree is ordered by hash, length and bytes: names with colliding hashes
 * cost no more than others.
 */

static ngx_int_t
ngx_http_flowdash_json_names_add(ngx_http_flowdash_json_names_t *names,
    ngx_str_t *name)
{
    u_char                         *p;
    uint32_t                        hash;
    ngx_http_flowdash_json_name_t  *n;

    hash = ngx_crc32_long(name->data, name->len);

    if (ngx_str_rbtree_lookup(&names->object->names, name, hash)) {
        return ngx_http_flowdash_json_names_refuse(names, 0,
                                "a name occurs twice in the value of a field");
    }

    n = names->free;

    if (n) {
        names->free = n->next;

    } else {
        n = ngx_http_flowdash_json_names_alloc(names,
                                        sizeof(ngx_http_flowdash_json_name_t));
        if (n == NULL) {
            return NGX_DECLINED;
        }

        n->size = 0;
    }

    n->next = names->object->first;
    names->object->first = n;

    n->node.str = *name;
    n->node.node.key = hash;

    p = name->data;

    if (p < names->text->data || p > names->text->data + names->text->len) {

        /* yajl reuses its memory for the next string that has an escape */

        if (n->size < name->len) {
            n->room = ngx_http_flowdash_json_names_alloc(names, name->len);
            if (n->room == NULL) {
                return NGX_DECLINED;
            }

            n->size = name->len;
        }

        n->node.str.data = n->room;
        ngx_memcpy(n->room, p, name->len);
    }

    ngx_rbtree_insert(&names->object->names, &n->node.node);

    return NGX_OK;
}


/* returns NULL if that would be too much to be remembered */

static void *
ngx_http_flowdash_json_names_alloc(ngx_http_flowdash_json_names_t *names,
    size_t size)
{
    void  *p;

    *names->size += size;

    if (*names->size > names->max_size) {
        return NULL;
    }

    p = ngx_palloc(names->memory->pool, size);
    if (p == NULL) {
        longjmp(names->memory->exhausted, 1);
    }

    return p;
}


static ngx_int_t
ngx_http_flowdash_json_names_refuse(ngx_http_flowdash_json_names_t *names,
    ngx_uint_t rule, const char *error)
{
    names->rule = rule;
    names->error = error;

    return NGX_DECLINED;
}
