
/*
 * What the text of a URL must not have, although libcurl would take it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_url_text.h>


static ngx_uint_t ngx_http_flowdash_url_text_is_name(u_char c);


const char *
ngx_http_flowdash_url_text_placeholder(u_char *p, u_char *last)
{
    u_char  *end;

    for ( /* void */ ; p < last; p++) {

        if (*p == '$') {
            p = ngx_http_flowdash_text_variable_end(p, last) - 1;
            continue;
        }

        if (*p != '{') {
            continue;
        }

        end = p + 1;

        while (end < last && ngx_http_flowdash_url_text_is_name(*end)) {
            end++;
        }

        if (end > p + 1 && end < last && *end == '}') {
            return "a name in braces is not a variable: write \"$id\" or "
                   "\"${id}\" for a variable, \"%7B\" and \"%7D\" for braces";
        }
    }

    return NULL;
}


/* of the placeholders that other programs have, such as "{issue.id}" */

static ngx_uint_t
ngx_http_flowdash_url_text_is_name(u_char c)
{
    return (c >= '0' && c <= '9')
           || (ngx_tolower(c) >= 'a' && ngx_tolower(c) <= 'z')
           || c == '_' || c == '-' || c == '.';
}


ngx_uint_t
ngx_http_flowdash_url_text_lacks_brackets(u_char *p, u_char *last)
{
    ngx_uint_t  colons;

    colons = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p == ':') {
            colons++;

        } else if ((*p < '0' || *p > '9') && *p != '.'
                   && (ngx_tolower(*p) < 'a' || ngx_tolower(*p) > 'f'))
        {
            return 0;
        }
    }

    return colons > 1;
}


ngx_uint_t
ngx_http_flowdash_url_text_dot_segment(u_char *p, u_char *last)
{
    u_char  *end;

    /* the path starts with a slash */

    while (p < last) {
        p++;

        end = ngx_strlchr(p, last, '/');

        if (end == NULL) {
            end = last;
        }

        if ((end - p == 1 && p[0] == '.')
            || (end - p == 2 && p[0] == '.' && p[1] == '.'))
        {
            return 1;
        }

        p = end;
    }

    return 0;
}
