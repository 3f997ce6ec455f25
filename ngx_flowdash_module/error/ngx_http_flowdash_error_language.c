
/*
 * Which language the client prefers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_error_accept.h>
#include <ngx_http_flowdash_error_language.h>


typedef struct {
    ngx_array_t                         *languages;
    ngx_http_flowdash_error_language_t  *language;
    ngx_uint_t                           q;    /* in thousandths */
} ngx_http_flowdash_error_language_choice_t;


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
    ngx_http_flowdash_error_language_choice_t  choice;

    choice.languages = languages;
    choice.language = ngx_http_flowdash_error_language_get(languages, 0);
    choice.q = 0;

    ngx_http_flowdash_error_accept_each(r, "Accept-Language",
                              ngx_http_flowdash_error_language_range, &choice);

    return choice.language;
}


/* of ranges that are liked as much, the first one wins */

static void
ngx_http_flowdash_error_language_range(void *data, ngx_str_t *range,
    ngx_uint_t q)
{
    ngx_http_flowdash_error_language_choice_t *choice = data;

    ngx_uint_t                           i;
    ngx_http_flowdash_error_language_t  *language;

    if (q <= choice->q) {
        return;
    }

    for (i = 0; /* void */ ; i++) {

        language = ngx_http_flowdash_error_language_get(choice->languages, i);

        if (language == NULL) {
            return;
        }

        if (ngx_http_flowdash_error_language_matches(&language->tag, range)) {
            choice->language = language;
            choice->q = q;
            return;
        }
    }
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


/* "de" is what there is for "de", "de-AT" and "*" */

static ngx_uint_t
ngx_http_flowdash_error_language_matches(ngx_str_t *tag, ngx_str_t *range)
{
    if (range->len == 1 && range->data[0] == '*') {
        return 1;
    }

    return range->len >= tag->len
           && ngx_strncasecmp(range->data, tag->data, tag->len) == 0
           && (range->len == tag->len || range->data[tag->len] == '-');
}
