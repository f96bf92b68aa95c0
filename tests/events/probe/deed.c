// Opens one file over and over: a storm of events.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

// how often, the file
int main(int count, char **arguments) {
    if (count < 3) return 2;
    for (long i = atol(arguments[1]); i > 0; i--) {
        int file = open(arguments[2], O_RDONLY);
        if (file < 0) return 1;
        close(file);
    }
    return 0;
}
