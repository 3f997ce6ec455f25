
/*
 * What the sanitizers ask the program itself.  It's linked into the nginx that
 * is built with them.
 */


#include <stdlib.h>


/* the first member is conf_ctx; weak, since configure's programs lack it */
extern void **ngx_cycle __attribute__((weak));


const char *__ubsan_default_options(void);
int __lsan_is_turned_off(void);


static char  options[1024];


/*
 * libubsan reads UBSAN_OPTIONS at the first error only, and by then nginx has
 * cleared its environment: so they are kept here from the start.
 */

static void __attribute__((constructor))
keep_options(void)
{
    size_t       i;
    const char  *value;

    value = getenv("UBSAN_OPTIONS");

    for (i = 0; value && value[i] && i < sizeof(options) - 1; i++) {
        options[i] = value[i];
    }
}


const char *
__ubsan_default_options(void)
{
    return options;
}


/*
 * nginx frees nothing when it ends before its first cycle has begun: after
 * "nginx -t", or with a configuration that is refused.
 */

int
__lsan_is_turned_off(void)
{
    return &ngx_cycle == NULL || ngx_cycle == NULL || ngx_cycle[0] == NULL;
}
