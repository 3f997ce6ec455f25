
/*
 * What other modules keep to themselves, as far as "nginx -t" has to know it.
 * Each of these configurations begins with what is read here, and has done so
 * in all versions; if that changes, a warning may be wrong, but nothing else.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_conf_private.h>


/* the first bits of "dav_methods": it was given, and it is off */

#define NGX_HTTP_FLOWDASH_DAV_OFF  (NGX_CONF_BITMASK_SET|2)


static void *ngx_http_flowdash_conf_private_find(ngx_conf_t *cf,
    void **loc_conf, const char *name);


/* it starts with its codes, which are structs that start with a function */

ngx_uint_t
ngx_http_flowdash_conf_private_rewrites(ngx_conf_t *cf, void **loc_conf)
{
    void                          *conf;
    ngx_uint_t                     i, n;
    ngx_array_t                   *codes;
    ngx_http_script_code_pt       *code;
#if (NGX_PCRE)
    ngx_http_script_regex_code_t  *regex;
#endif

    conf = ngx_http_flowdash_conf_private_find(cf, loc_conf,
                                               "ngx_http_rewrite_module");
    if (conf == NULL) {
        return 0;
    }

    codes = *(ngx_array_t **) conf;

    if (codes == NULL) {
        return 0;
    }

    code = codes->elts;
    n = codes->nelts * codes->size / sizeof(ngx_http_script_code_pt);

    for (i = 0; i < n; i++) {

        if (code[i] == ngx_http_script_return_code) {
            return 1;
        }

#if (NGX_PCRE)
        if (code[i] == ngx_http_script_regex_start_code) {

            /*
             * A "rewrite", unless it is the test of an "if"; with "break", it
             * leads nowhere else.
             */

            regex = (ngx_http_script_regex_code_t *) &code[i];

            if (!regex->test && !regex->break_cycle) {
                return 1;
            }
        }
#endif
    }

    return 0;
}


ngx_uint_t
ngx_http_flowdash_conf_private_has_codes(ngx_conf_t *cf, void **loc_conf)
{
    ngx_array_t  **codes;

    codes = ngx_http_flowdash_conf_private_find(cf, loc_conf,
                                                "ngx_http_rewrite_module");

    return codes && *codes;
}


ngx_uint_t
ngx_http_flowdash_conf_private_files(ngx_conf_t *cf, void **loc_conf)
{
    void        **try_files;
    ngx_uint_t   *methods;

    try_files = ngx_http_flowdash_conf_private_find(cf, loc_conf,
                                                "ngx_http_try_files_module");

    methods = ngx_http_flowdash_conf_private_find(cf, loc_conf,
                                                  "ngx_http_dav_module");

    return (try_files && *try_files)
           || (methods && (*methods & ~NGX_HTTP_FLOWDASH_DAV_OFF));
}


/* it starts with what the filter does; 0 is "off" */

ngx_uint_t
ngx_http_flowdash_conf_private_image(ngx_conf_t *cf, void **loc_conf)
{
    ngx_uint_t  *filter;

    filter = ngx_http_flowdash_conf_private_find(cf, loc_conf,
                                              "ngx_http_image_filter_module");

    return filter && *filter && *filter != NGX_CONF_UNSET_UINT;
}


static void *
ngx_http_flowdash_conf_private_find(ngx_conf_t *cf, void **loc_conf,
    const char *name)
{
    ngx_uint_t  i;

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, name) == 0) {
            return loc_conf[cf->cycle->modules[i]->ctx_index];
        }
    }

    return NULL;
}
