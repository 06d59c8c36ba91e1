/* A tree that moves: chains of processes, each of which starts its successor in a session of its own and exits, so
 * that no list of processes is right by the time it is used. usage: chaser CHAINS LINKS MICROSECONDS
 *
 * A chain is bounded in links by its arguments and in time by the alarm, which a fork clears and each link sets
 * again for the time that is left: without bounds a chain that escapes fills the process table. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 30 };

static void link_up(int links, useconds_t pause, time_t end) {
    while (links-- > 0 && time(NULL) < end) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        alarm(SECONDS);
        usleep(pause);
        pid_t next = fork();
        if (next != 0)
            _exit(0);
        setsid();
    }
    _exit(0);
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    time_t end = time(NULL) + SECONDS;
    for (int chain = atoi(arguments[1]); chain > 0; chain--)
        if (fork() == 0)
            link_up(atoi(arguments[2]), (useconds_t)atoi(arguments[3]), end);
    puts("READY");
    fflush(stdout);
    alarm(SECONDS);
    for (;;)
        pause();
}
