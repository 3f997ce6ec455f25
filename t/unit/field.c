
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


static ngx_http_flowdash_field_t *
lookup(ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(index, name, &key);

    return ngx_http_flowdash_field_index_exact(index, name, &key);
}


static ngx_http_flowdash_field_t *
similar(ngx_http_flowdash_field_index_t *index, ngx_str_t *name)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(index, name, &key);

    return key.similar;
}


static ngx_uint_t
add(ngx_http_flowdash_field_index_t *index, ngx_http_flowdash_field_t *field,
    ngx_pool_t *pool)
{
    ngx_http_flowdash_field_key_t  key;

    ngx_http_flowdash_field_index_find(index, &field->name, &key);

    return ngx_http_flowdash_field_index_add(index, field, &key, pool)
           == NGX_OK;
}


/*
 * Names that are letters of one case or the other, as the bits of a number:
 * all fold to one, if "bits" is the number of letters.
 */

static ngx_uint_t
finds(const char *format, ngx_uint_t bits)
{
    u_char                           *p, text[64];
    ngx_str_t                         name;
    ngx_uint_t                        i, b, good;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_field_t        *fields;
    ngx_http_flowdash_field_index_t   index;

    ngx_memzero(&index, sizeof(ngx_http_flowdash_field_index_t));

    good = 1;
    pool = ngx_create_pool(4096, &test_log);
    fields = calloc(NAMES, sizeof(ngx_http_flowdash_field_t));
    p = malloc(NAMES * sizeof(text));

    for (i = 0; i < NAMES; i++, p += sizeof(text)) {

        fields[i].name.data = p;
        fields[i].name.len = sprintf((char *) p, format, (unsigned) i);

        for (b = 0; b < bits; b++) {
            p[b] = (i & ((ngx_uint_t) 1 << b)) ? 'A' : 'a';
        }

        good &= (lookup(&index, &fields[i].name) == NULL);
        good &= ((similar(&index, &fields[i].name) != NULL) == (bits && i));

        good &= add(&index, &fields[i], pool);
    }

    for (i = 0; i < NAMES; i++) {

        good &= (lookup(&index, &fields[i].name) == &fields[i]);
        good &= (similar(&index, &fields[i].name) == &fields[bits ? 0 : i]);

        name.data = text;
        name.len = fields[i].name.len;
        ngx_memcpy(text, fields[i].name.data, name.len);
        text[name.len - 1] ^= 0x80;

        good &= (lookup(&index, &name) == NULL);
        good &= (similar(&index, &name) == NULL);
    }

    free(fields[0].name.data);
    free(fields);
    ngx_destroy_pool(pool);

    return good;
}


static ngx_uint_t
has_attributes(void)
{
    u_char                           *p, text[NAMES / 8][16];
    ngx_str_t                         name;
    ngx_uint_t                        i, good;
    ngx_pool_t                       *pool;
    ngx_http_flowdash_field_t         fields[NAMES / 8];
    ngx_http_flowdash_field_index_t   index;

    ngx_memzero(&index, sizeof(ngx_http_flowdash_field_index_t));

    good = 1;
    pool = ngx_create_pool(4096, &test_log);

    for (i = 0; i < NAMES / 8; i++) {

        p = text[i];
        fields[i].name.data = p;
        fields[i].name.len = sprintf((char *) p, "f%u(%ui)",
                                     (unsigned) i / 2, (unsigned) i % 2 + 1);

        name.data = p;
        name.len = ngx_strlchr(p, p + 16, '(') - p;

        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == i % 2);
        good &= add(&index, &fields[i], pool);
        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == 1);

        text[i][0] = 'F';
        good &= (ngx_http_flowdash_field_index_has_attribute(&index, &name)
                 == 0);
        text[i][0] = 'f';
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
    ok(finds("field%x", 0), "many names");
    ok(finds("aaaaaaaaaaaaaaaa", 16), "many names that fold to one");
    ok(has_attributes(), "multiparameters");

    return test_end();
}
