
#ifndef _NGX_HTTP_FLOWDASH_FORM_RULES_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_RULES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Judges the decoded name of any pair, of the task or not.  Returns NGX_OK, or
 * NGX_DECLINED with form->verdict set.
 */
ngx_int_t ngx_http_flowdash_form_rules_name(ngx_http_flowdash_form_t *form,
    ngx_str_t *name);

/*
 * Judges the name of a field and the path behind it, [x][y], of a pair of the
 * task.  Returns as ngx_http_flowdash_form_rules_name().
 */
ngx_int_t ngx_http_flowdash_form_rules_field(ngx_http_flowdash_form_t *form,
    ngx_str_t *field, ngx_str_t *path);

/*
 * Judges one key of a name: of a field, or from its path.  Returns what is
 * wrong, with form->rule set, or NULL.
 */
const char *ngx_http_flowdash_form_rules_key(ngx_http_flowdash_form_t *form,
    ngx_str_t *key);

/* Judges a decoded value in the same way. */
const char *ngx_http_flowdash_form_rules_value(ngx_http_flowdash_form_t *form,
    ngx_str_t *value);

/* Tells whether a text has an encoded word of RFC 2047, =?charset?Q?text?=. */
ngx_uint_t ngx_http_flowdash_form_rules_encoded_word(ngx_str_t *text);

/* Returns how many pairs of brackets the name of a field may have. */
ngx_uint_t ngx_http_flowdash_form_rules_depth(ngx_http_flowdash_form_t *form);


#endif /* _NGX_HTTP_FLOWDASH_FORM_RULES_H_INCLUDED_ */
