
#ifndef _NGX_HTTP_FLOWDASH_LIST_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_LIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Returns the next element of an ngx_list_t, or NULL after the last.  Start
 * with "part" set to the address of the list's first part and "i" to 0; "size"
 * is that of an element.
 */
static ngx_inline void *
ngx_http_flowdash_list_next(ngx_list_part_t **part, ngx_uint_t *i, size_t size)
{
    while (*i == (*part)->nelts) {

        if ((*part)->next == NULL) {
            return NULL;
        }

        *part = (*part)->next;
        *i = 0;
    }

    return (u_char *) (*part)->elts + size * (*i)++;
}


#endif /* _NGX_HTTP_FLOWDASH_LIST_H_INCLUDED_ */
