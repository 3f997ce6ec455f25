
/*
 * A table of short texts, which are kept for a short time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_cache.h>


static ngx_http_flowdash_cache_entry_t *ngx_http_flowdash_cache_set(
    ngx_http_flowdash_cache_t *cache, u_char *key);
static ngx_uint_t ngx_http_flowdash_cache_has(
    ngx_http_flowdash_cache_entry_t *entry, u_char *key);


size_t
ngx_http_flowdash_cache_find(ngx_http_flowdash_cache_t *cache, u_char *key,
    ngx_msec_t now, ngx_msec_t max_age, u_char *text)
{
    ngx_uint_t                        i;
    ngx_msec_int_t                    age;
    ngx_http_flowdash_cache_entry_t  *entry;

    entry = ngx_http_flowdash_cache_set(cache, key);

    for (i = 0; i < NGX_HTTP_FLOWDASH_CACHE_WAYS; i++) {

        if (!ngx_http_flowdash_cache_has(&entry[i], key)) {
            continue;
        }

        /*
         * The clock of the worker that has stored it may be ahead by the time
         * that this one has worked since it looked at the clock.
         */

        age = (ngx_msec_int_t) (now - entry[i].stored);

        if (age >= (ngx_msec_int_t) max_age
            || age <= - (ngx_msec_int_t) max_age)
        {
            return 0;
        }

        ngx_memcpy(text, entry[i].text, entry[i].len);

        return entry[i].len;
    }

    return 0;
}


ngx_int_t
ngx_http_flowdash_cache_store(ngx_http_flowdash_cache_t *cache, u_char *key,
    ngx_msec_t now, ngx_str_t *text)
{
    ngx_uint_t                        i;
    ngx_msec_t                        age, oldest;
    ngx_http_flowdash_cache_entry_t  *entry, *found;

    if (text->len > NGX_HTTP_FLOWDASH_CACHE_TEXT) {
        return NGX_DECLINED;
    }

    entry = ngx_http_flowdash_cache_set(cache, key);
    found = entry;
    oldest = 0;

    for (i = 0; i < NGX_HTTP_FLOWDASH_CACHE_WAYS; i++) {

        if (ngx_http_flowdash_cache_has(&entry[i], key)) {
            found = &entry[i];
            break;
        }

        age = entry[i].ready ? now - entry[i].stored : (ngx_msec_t) -1;

        if (age > oldest) {
            oldest = age;
            found = &entry[i];
        }
    }

    found->ready = 0;
    ngx_memory_barrier();

    found->stored = now;
    found->len = text->len;
    ngx_memcpy(found->key, key, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);
    ngx_memcpy(found->text, text->data, text->len);

    ngx_memory_barrier();
    found->ready = 1;

    return NGX_OK;
}


static ngx_http_flowdash_cache_entry_t *
ngx_http_flowdash_cache_set(ngx_http_flowdash_cache_t *cache, u_char *key)
{
    uint32_t  hash;

    hash = ngx_murmur_hash2(key, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN);

    return cache->entries
           + (hash % cache->sets) * NGX_HTTP_FLOWDASH_CACHE_WAYS;
}


static ngx_uint_t
ngx_http_flowdash_cache_has(ngx_http_flowdash_cache_entry_t *entry,
    u_char *key)
{
    return entry->ready
           && ngx_memcmp(entry->key, key, NGX_HTTP_FLOWDASH_ID_DIGEST_LEN)
              == 0;
}
