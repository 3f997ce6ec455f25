
/*
 * What the sanitizers ask the program itself.  It's linked into the nginx that
 * is built with them.
 */


#include <stdlib.h>


/* nginx's; weak, since the programs of its configure lack it */
extern size_t ngx_process __attribute__((weak));


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
 * nginx frees nothing when it ends before it has become a master or a worker:
 * after "nginx -t", or with a configuration that is refused.
 */

int
__lsan_is_turned_off(void)
{
    return &ngx_process == NULL || ngx_process == 0;
}
