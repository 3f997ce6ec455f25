
#ifndef _NGX_HTTP_FLOWDASH_FORM_ALIAS_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_ALIAS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Tells whether some apps find the task by this name, which does not lead
 * there by the convention of brackets.  Returns the rule that is against it,
 * or 0.
 */
ngx_uint_t ngx_http_flowdash_form_alias_of_task(ngx_http_flowdash_form_t *form,
    ngx_str_t *name);

/*
 * Tells whether some apps take this name of a field for that of another field
 * of the form.  Returns NGX_OK; NGX_DONE if the form has the field itself;
 * NGX_DECLINED with form->verdict set; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_form_alias_check(ngx_http_flowdash_form_t *form,
    ngx_str_t *name);

/*
 * Checks the name of a field, and adds it, which must live as long as the
 * form.  Returns as ngx_http_flowdash_form_alias_check().
 */
ngx_int_t ngx_http_flowdash_form_alias_add(ngx_http_flowdash_form_t *form,
    ngx_str_t *name);

/* Returns how many bytes ngx_http_flowdash_form_alias_add() may need. */
size_t ngx_http_flowdash_form_alias_size(ngx_http_flowdash_form_t *form,
    ngx_str_t *name);

/* Marks which names were added until now. */
void ngx_http_flowdash_form_alias_mark(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_mark_t *mark);

/* Removes the names that were added after a mark. */
void ngx_http_flowdash_form_alias_remove(ngx_http_flowdash_form_t *form,
    ngx_http_flowdash_form_mark_t *mark);


#endif /* _NGX_HTTP_FLOWDASH_FORM_ALIAS_H_INCLUDED_ */
