
/*
 * Which language the client prefers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_error_accept.h>
#include <ngx_http_flowdash_error_language.h>


/* how much the client likes one of the languages */

typedef struct {
    ngx_str_t   *tag;
    ngx_uint_t   ranges;                  /* seen so far */
    ngx_uint_t   q;                       /* in thousandths */
    ngx_uint_t   range;                   /* by which it got that */
    unsigned     named:1;                 /* not just by "*" */
} ngx_http_flowdash_error_language_liking_t;


static void ngx_http_flowdash_error_language_range(void *data,
    ngx_str_t *range, ngx_uint_t q);
static ngx_http_flowdash_error_language_t *
    ngx_http_flowdash_error_language_get(ngx_array_t *languages,
    ngx_uint_t n);
static ngx_uint_t ngx_http_flowdash_error_language_matches(ngx_str_t *tag,
    ngx_str_t *range);


ngx_http_flowdash_error_language_t *
ngx_http_flowdash_error_language_find(ngx_str_t *tag)
{
    ngx_http_flowdash_error_language_t  *language;

    language = ngx_http_flowdash_error_languages;

    for ( /* void */ ; language->tag.len; language++) {
        if (language->tag.len == tag->len
            && ngx_strncasecmp(language->tag.data, tag->data, tag->len) == 0)
        {
            return language;
        }
    }

    return NULL;
}


ngx_http_flowdash_error_language_t *
ngx_http_flowdash_error_language_choose(ngx_http_request_t *r,
    ngx_array_t *languages)
{
    ngx_uint_t                                 i;
    ngx_http_flowdash_error_language_t        *language, *best;
    ngx_http_flowdash_error_language_liking_t  liking, most;

    best = ngx_http_flowdash_error_language_get(languages, 0);

    ngx_memzero(&most, sizeof(ngx_http_flowdash_error_language_liking_t));

    for (i = 0; /* void */ ; i++) {

        language = ngx_http_flowdash_error_language_get(languages, i);

        if (language == NULL) {
            return best;
        }

        ngx_memzero(&liking,
                    sizeof(ngx_http_flowdash_error_language_liking_t));

        liking.tag = &language->tag;

        ngx_http_flowdash_error_accept_each(r, "Accept-Language",
                              ngx_http_flowdash_error_language_range, &liking);

        /* of ranges that are liked as much, the first one wins */

        if (liking.q > most.q
            || (liking.q && liking.q == most.q && liking.range < most.range))
        {
            most = liking;
            best = language;
        }
    }
}


/*
 * "*" is for languages that no other range names.  A quality of 0 refuses
 * "en" by "en;q=0", but not by "en-GB;q=0".
 */

static void
ngx_http_flowdash_error_language_range(void *data, ngx_str_t *range,
    ngx_uint_t q)
{
    ngx_http_flowdash_error_language_liking_t *liking = data;

    ngx_uint_t  named;

    liking->ranges++;

    named = ngx_http_flowdash_error_language_matches(liking->tag, range);

    if (named) {
        if (q == 0 && range->len > liking->tag->len) {
            return;
        }

    } else if (liking->named || range->len != 1 || range->data[0] != '*') {
        return;
    }

    if (named == liking->named && q <= liking->q) {
        return;
    }

    liking->named = named;
    liking->q = q;
    liking->range = liking->ranges;
}


/* NULL after the last one */

static ngx_http_flowdash_error_language_t *
ngx_http_flowdash_error_language_get(ngx_array_t *languages, ngx_uint_t n)
{
    ngx_http_flowdash_error_language_t  *language, **elt;

    if (languages == NULL) {
        language = &ngx_http_flowdash_error_languages[n];
        return language->tag.len ? language : NULL;
    }

    elt = languages->elts;

    return (n < languages->nelts) ? elt[n] : NULL;
}


/* "de" is what there is for "de" and "de-AT" */

static ngx_uint_t
ngx_http_flowdash_error_language_matches(ngx_str_t *tag, ngx_str_t *range)
{
    return range->len >= tag->len
           && ngx_strncasecmp(range->data, tag->data, tag->len) == 0
           && (range->len == tag->len || range->data[tag->len] == '-');
}
