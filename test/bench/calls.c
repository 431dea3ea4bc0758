/* domain_get_state again and again over one connection, by libvirt's own client: calls URI DOMAIN COUNT.
   Waits for a line on its input before each round, and answers with the round's milliseconds. */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    virConnectPtr connection = virConnectOpen(argv[1]);
    if (!connection) return 1;
    virDomainPtr domain = virDomainLookupByName(connection, argv[2]);
    if (!domain) return 1;
    puts("ready");
    fflush(stdout);
    while (getchar() == '\n') {
        double began = now();
        for (int at = atoi(argv[3]); at > 0; at--) {
            int state, reason;
            if (virDomainGetState(domain, &state, &reason, 0) < 0) return 1;
        }
        printf("%.3f\n", now() - began);
        fflush(stdout);
    }
    virDomainFree(domain);
    virConnectClose(connection);
    return 0;
}
