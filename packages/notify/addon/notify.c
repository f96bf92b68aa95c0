// Sends one datagram to the service manager's socket: Node has no datagrams of Unix sockets (sd_notify(3)).
#include <errno.h>
#include <node_api.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 4096

// A leading "@" is systemd's way to write the null byte of an abstract socket's name.
static int send_datagram(const char *path, size_t path_len, const char *message, size_t message_len) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path_len == 0 || path_len >= sizeof address.sun_path) return EINVAL;
    memcpy(address.sun_path, path, path_len);
    if (path[0] == '@') address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
    // A service manager that does not read must not stop the stage: what does not fit is told with the next message.
    ssize_t sent = sendto(fd, message, message_len, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, length);
    int error = sent < 0 ? errno : 0;
    close(fd);
    return error;
}

// send(path, message): 0 or an errno.
static napi_value send_message(napi_env env, napi_callback_info info) {
    size_t count = 2;
    napi_value arguments[2];
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    char message[MESSAGE_BYTES_MAX + 1];
    size_t path_len = 0;
    size_t message_len = 0;
    int error = EINVAL;
    if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == 2 &&
        napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &path_len) == napi_ok &&
        napi_get_value_string_utf8(env, arguments[1], message, sizeof message, &message_len) == napi_ok) {
        error = send_datagram(path, path_len, message, message_len);
    }
    napi_value result;
    return napi_create_int32(env, error, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
    napi_value function;
    if (napi_create_function(env, "send", NAPI_AUTO_LENGTH, send_message, NULL, &function) != napi_ok) return NULL;
    if (napi_set_named_property(env, exports, "send", function) != napi_ok) return NULL;
    return exports;
}
