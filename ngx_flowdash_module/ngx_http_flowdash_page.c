
/*
 * The page of "flowdash_status html".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_module.h>
#include <ngx_http_flowdash_status.h>


void
ngx_http_flowdash_page(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_view_t *view)
{
    ngx_http_flowdash_output(out, "<!DOCTYPE html>\n");
}
