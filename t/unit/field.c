
/*
 * The index of a task's fields: the hash that it uses, and names in all
 * spellings that are added and found.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_hash.c"
#include "ngx_http_flowdash_fold.c"
#include "ngx_http_flowdash_field.c"
#include "ngx_http_flowdash_field_index.c"


#define NAMES  20000


/* SipHash-1-3 of the bytes 0, 1, 2 and so on, with such a key */

static struct {
    size_t    len;
    uint64_t  hash;
} hashes[] = {
    { 0, 0xabac0158050fc4dc },
    { 1, 0xc9f49bf37d57ca93 },
    { 7, 0xd3927d989bb11140 },
    { 8, 0x369095118d299a8e },
    { 15, 0xd320d86d2a519956 },
    { 16, 0xcc4fdd1a7d908b66 },
    { 63, 0x9d199062b7bbb3a8 }
};


static ngx_uint_t
hashes_as_others(void)
{
    u_char      key[16], text[64];
    size_t      i;
    ngx_str_t   s;
    ngx_uint_t  good;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (u_char) i;
    }

    ngx_memcpy(key, text, sizeof(key));
    ngx_http_flowdash_hash_key(key);

    /* another one, in a process that has one, is ignored */

    key[0] = 'x';
    ngx_http_flowdash_hash_key(key);

    good = 1;
    s.data = text;

    for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        s.len = hashes[i].len;
        good &= (ngx_http_flowdash_hash(&s) == hashes[i].hash);

        /* there is nothing to fold in it up to the letters */

        good &= (ngx_http_flowdash_fold_keyed_hash(&s) == hashes[i].hash);
    }

    return good;
}


static ngx_uint_t
lookup(ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(index, name, &key);

    return ngx_http_flowdash_field_index_exact(index, name, &key);
}


static ngx_uint_t
similar(ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(index, name, &key);

    return key.similar;
}


/* "spelling" is the place in the text, or NULL: the field is kept */

static ngx_uint_t
add(ngx_http_flowdash_field_index_t *index, ngx_str_t *name, u_char *spelling)
{
    ngx_http_flowdash_field_t      *field;
    ngx_http_flowdash_field_key_t   key;

    ngx_http_flowdash_field_index_find(index, name, &key);

    if (spelling) {
        return ngx_http_flowdash_field_index_add_place(index, name, &key,
                                                       spelling)
               == NGX_OK;
    }

    field = ngx_http_flowdash_field_index_add(index, name, &key);

    if (field == NULL) {
        return 0;
    }

    field->spelling.data = name->data - 1;
    field->spelling.len = name->len + 2;

    return 1;
}


/* a field has its name, and the number "i" as its value, if it is in a text */

static ngx_uint_t
has(ngx_http_flowdash_field_index_t *index, ngx_uint_t i, ngx_str_t *name)
{
    ngx_str_t                   other;
    ngx_http_flowdash_field_t  *field, room;

    ngx_http_flowdash_field_name(index, i, &other);

    field = ngx_http_flowdash_field_get(index, i, &room);

    return field
           && ngx_http_flowdash_text_equal(&other, name)
           && ngx_http_flowdash_text_equal(&field->name, name)
           && field->spelling.data == name->data - 1
           && field->spelling.len == name->len + 2
           && (field->original.data == NULL
               || (field->value.data == field->original.data
                   && field->value.len == field->original.len
                   && ngx_atoi(field->value.data, field->value.len)
                      == (ngx_int_t) i));
}


/* keeps some of the fields of a copy: they stay as they are, as all others */

static ngx_uint_t
keeps(ngx_http_flowdash_field_index_t *base, ngx_str_t *names,
    ngx_pool_t *pool)
{
    ngx_uint_t                        i, n, kept, good;
    ngx_http_flowdash_field_t        *field;
    ngx_http_flowdash_field_index_t   index;

    if (ngx_http_flowdash_field_index_copy(&index, base, pool) != NGX_OK) {
        return 0;
    }

    good = 1;
    kept = 0;

    for (i = 0; i < NAMES; i++) {

        kept += base->refs[i].kept || i % 7 == 0;

        if (i % 7) {
            continue;
        }

        field = ngx_http_flowdash_field_keep(&index, i);

        good &= (field && field == ngx_http_flowdash_field_keep(&index, i));
        good &= (field == ngx_http_flowdash_field_get(&index, i, NULL));
        good &= (base->refs[i].kept == 0
                 || field != base->kept[base->refs[i].place]);
    }

    for (i = 0; i < NAMES; i++) {
        good &= has(&index, i, &names[i]);
        good &= has(base, i, &names[i]);
        good &= (lookup(&index, &names[i]) == i);
    }

    n = 0;
    i = 0;

    while ((field = ngx_http_flowdash_field_next_kept(&index, &i))) {
        good &= (index.kept[index.refs[i - 1].place] == field);
        n++;
    }

    return good && n == kept;
}


/*
 * Names that are letters of one case or the other, as the bits of a number:
 * all fold to one, if "bits" is the number of letters.
 */

static ngx_uint_t
finds(const char *format, ngx_uint_t bits, ngx_uint_t in_text)
{
    u_char                           *p, *end, buf[64];
    ngx_str_t                         text, name, *names;
    ngx_uint_t                        i, b, good;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_field_index_t   index;

    static const char  *between[] = { ":%u,", " :%u ,", ":\n%u\r\n,\t" };

    good = 1;
    pool = ngx_create_pool(4096, &test_log);
    names = calloc(NAMES, sizeof(ngx_str_t));

    text.len = NAMES * sizeof(buf);
    text.data = malloc(text.len);
    p = text.data;
    end = p;

    ngx_http_flowdash_field_init(&index, &text, pool);

    for (i = 0; i < NAMES; i++) {

        *p++ = '"';

        names[i].data = p;
        names[i].len = sprintf((char *) p, format, (unsigned) i);

        for (b = 0; b < bits; b++) {
            p[b] = (i & ((ngx_uint_t) 1 << b)) ? 'A' : 'a';
        }

        p += names[i].len;
        *p++ = '"';

        p += sprintf((char *) p, between[i % 3], (unsigned) i);
        end = p;

        good &= (lookup(&index, &names[i]) == NGX_HTTP_FLOWDASH_FIELD_NONE);
        good &= ((similar(&index, &names[i]) != NGX_HTTP_FLOWDASH_FIELD_NONE)
                 == (bits && i));

        /* one with escapes is kept, and in the text */

        good &= add(&index, &names[i],
                    (in_text && i % 5) ? names[i].data - 1 : NULL);
    }

    while (end[-1] < '0' || end[-1] > '9') {
        end--;
    }

    ngx_http_flowdash_field_end(&index, end);

    for (i = 0; i < NAMES; i++) {

        good &= (lookup(&index, &names[i]) == i);
        good &= (similar(&index, &names[i]) == (bits ? 0 : i));
        good &= has(&index, i, &names[i]);

        name.data = buf;
        name.len = names[i].len;
        ngx_memcpy(buf, names[i].data, name.len);
        buf[name.len - 1] ^= 0x80;

        good &= (lookup(&index, &name) == NGX_HTTP_FLOWDASH_FIELD_NONE);
        good &= (similar(&index, &name) == NGX_HTTP_FLOWDASH_FIELD_NONE);
    }

    good &= (ngx_http_flowdash_field_get(&index, NAMES, NULL) == NULL);
    good &= keeps(&index, names, pool);

    free(names);
    free(text.data);
    ngx_destroy_pool(pool);

    return good;
}


static ngx_uint_t
marks(void)
{
    ngx_str_t                         text, name;
    ngx_uint_t                        good;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_field_index_t   index;

    pool = ngx_create_pool(4096, &test_log);
    ngx_str_set(&text, "\"a\":1,\"b\":2");

    ngx_http_flowdash_field_init(&index, &text, pool);

    name.len = 1;
    name.data = text.data + 1;
    good = add(&index, &name, name.data - 1);
    name.data = text.data + 7;
    good &= add(&index, &name, name.data - 1);

    ngx_http_flowdash_field_mark(&index, 0, 0);
    good &= (index.marks == 0);
    ngx_http_flowdash_field_mark(&index, 1, 1);
    ngx_http_flowdash_field_mark(&index, 1, 1);
    good &= (index.marks == 1 && index.refs[1].marked);
    ngx_http_flowdash_field_mark(&index, 0, 1);
    ngx_http_flowdash_field_mark(&index, 1, 0);
    good &= (index.marks == 1 && index.refs[0].marked
             && !index.refs[1].marked);
    ngx_http_flowdash_field_unmark(&index);
    good &= (index.marks == 0 && !index.refs[0].marked);

    ngx_destroy_pool(pool);

    return good;
}


static ngx_uint_t
has_attributes(void)
{
    u_char                           *p, text[NAMES / 8][16], other[16];
    ngx_str_t                         none, name, whole;
    ngx_uint_t                        i, good;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_field_index_t   index;

    good = 1;
    pool = ngx_create_pool(4096, &test_log);

    ngx_str_null(&none);
    ngx_http_flowdash_field_init(&index, &none, pool);

    for (i = 0; i < NAMES / 8; i++) {

        p = text[i];
        whole.data = p;
        whole.len = sprintf((char *) p, "f%u(%ui)",
                            (unsigned) i / 2, (unsigned) i % 2 + 1);

        name.data = p;
        name.len = ngx_strlchr(p, p + 16, '(') - p;

        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == i % 2);
        good &= add(&index, &whole, NULL);
        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == 1);

        ngx_memcpy(other, name.data, name.len);
        other[0] = 'F';
        name.data = other;

        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == 0);
    }

    good &= (index.attributes.used == NAMES / 16);

    ngx_destroy_pool(pool);

    return good;
}


int
main(void)
{
    (void) test_begin(0);

    ok(hashes_as_others(), "the hash is SipHash-1-3");
    ok(finds("field%x", 0, 1), "many names");
    ok(finds("field%x", 0, 0), "many names in no text");
    ok(finds("aaaaaaaaaaaaaaaa", 16, 1), "many names that fold to one");
    ok(finds("aaaaaaaaaaaaaaaa", 16, 0), "and in no text");
    ok(marks(), "marks");
    ok(has_attributes(), "multiparameters");

    return test_end();
}
