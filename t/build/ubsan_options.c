
/*
 * libubsan reads UBSAN_OPTIONS at the first error only, and by then nginx has
 * cleared its environment: so they are kept here from the start.
 */


#include <stdlib.h>


const char *__ubsan_default_options(void);


static char  options[1024];


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
