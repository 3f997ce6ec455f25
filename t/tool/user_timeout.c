
/*
 * Loaded into nginx before the C library (LD_PRELOAD), this says in a file
 * beside it, user_timeout.so.log, to how many milliseconds setsockopt() has set
 * each TCP_USER_TIMEOUT.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>


typedef int (*setsockopt_t)(int fd, int level, int option, const void *value,
    socklen_t len);


int
setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    char           name[4096];
    FILE          *file;
    Dl_info        info;
    setsockopt_t   real;

    if (level == IPPROTO_TCP && option == TCP_USER_TIMEOUT
        && dladdr((void *) setsockopt, &info))
    {
        (void) snprintf(name, sizeof(name), "%s.log", info.dli_fname);
        file = fopen(name, "a");

        if (file != NULL) {
            (void) fprintf(file, "%d\n", *(const int *) value);
            (void) fclose(file);
        }
    }

    real = (setsockopt_t) dlsym(RTLD_NEXT, "setsockopt");

    return real(fd, level, option, value, len);
}
