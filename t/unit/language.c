
/*
 * What the pages say: each language has all of it, with a place for the name
 * where there is one, and nothing that HTML, JSON or a format would take for
 * its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"

#include "ngx_http_flowdash_text.c"
#include "ngx_http_flowdash_error_language_table.c"


static ngx_uint_t
has_name(ngx_uint_t i)
{
    return i == NGX_HTTP_FLOWDASH_ERROR_TITLE
           || (i >= NGX_HTTP_FLOWDASH_ERROR_REFUSED
               && i < NGX_HTTP_FLOWDASH_ERROR_NO_ACTION);
}


static ngx_uint_t
count(ngx_str_t *s, u_char c)
{
    size_t      i;
    ngx_uint_t  n;

    n = 0;

    for (i = 0; i < s->len; i++) {
        n += (s->data[i] == c);
    }

    return n;
}


static ngx_uint_t
says(ngx_str_t *saying, ngx_uint_t i)
{
    return saying->len != 0
           && ngx_strlen(saying->data) == saying->len
           && ngx_http_flowdash_text_check_utf8(saying) == NULL
           && ngx_http_flowdash_text_find(saying,
                  NGX_HTTP_FLOWDASH_TEXT_CONTROL) == NULL
           && count(saying, '%') == has_name(i)
           && (ngx_strstr(saying->data, "%V") != NULL) == has_name(i)
           && strpbrk((char *) saying->data, "\"\\&<>") == NULL;
}


int
main(void)
{
    ngx_uint_t                           i, n, good;
    ngx_http_flowdash_error_language_t  *language, *other;

    (void) test_begin(0);

    n = 0;

    for (language = ngx_http_flowdash_error_languages;
         language->tag.len;
         language++)
    {
        good = language->rtl <= 1
               && (language->space.len == 0 || language->space.data[0] == ' ');

        for (other = ngx_http_flowdash_error_languages;
             other < language;
             other++)
        {
            good &= (ngx_strcmp(other->tag.data, language->tag.data) != 0);
        }

        for (i = 0; i < NGX_HTTP_FLOWDASH_ERROR_SAYINGS; i++) {
            if (!says(&language->sayings[i], i)) {
                printf("# saying %d: %s\n", (int) i,
                       (char *) language->sayings[i].data);
                good = 0;
            }
        }

        ok(good, (const char *) language->tag.data);
        n++;
    }

    ok(n >= 10, "there are at least ten");

    return test_end();
}
