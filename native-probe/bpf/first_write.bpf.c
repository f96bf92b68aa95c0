// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports the first write of each opening of a regular file, by whichever call or ring; later ones end at one look-up.
#include "governor.h"
#include "message.h"
#include "opening.h"
#include "ring.h"

struct first_write_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 carrier;
    u64 size;
    u64 position;
    struct text data;
    u8 data_truncated;
    u32 device;
    u64 inode;
    u8 upper_layer;
};

EVENT_RECORD(first_write, EVENT_FIRST_WRITE)

// What a call writes, wherever it has it.
struct file_write {
    s32 fd;
    // The bytes, or an array of pieces; 0 where they come from another file.
    u64 from;
    u64 size_or_pieces;
    // Where the call was told to begin; negative where the file's own position counts.
    s64 position;
};

static __always_inline bool call_opens(u32 call) {
    return call == CALL_OPEN || call == CALL_OPENAT || call == CALL_OPENAT2 || call == CALL_CREAT ||
           call == CALL_OPEN_BY_HANDLE_AT;
}

// What most opens are for ends here, where the flags are an argument.
static __always_inline bool open_only_reads(const struct call_frame *frame, u32 call) {
    if (call == CALL_OPEN) return !(SYSCALL_ARGUMENT_1(frame) & O_ACCMODE);
    return call == CALL_OPENAT && !(SYSCALL_ARGUMENT_2(frame) & O_ACCMODE);
}

static __always_inline bool call_copies(u32 call) {
    return call == CALL_COPY_FILE_RANGE || call == CALL_SPLICE;
}

// Behind a pointer is where the next write would begin; none says that the file's own position counts.
static __always_inline s64 position_after(u64 pointer, s64 result) {
    s64 after = -1;
    if (!pointer || bpf_probe_read_user(&after, sizeof(after), (const void *)pointer)) return -1;
    return after - result;
}

// A position is one argument, or two of 32 bits.
static __always_inline s64 position_passed(const struct call_frame *frame) {
    u64 low = SYSCALL_ARGUMENT_3(frame), high = SYSCALL_ARGUMENT_4(frame);
    return frame->narrow ? (s64)(high << 32 | low) : (s64)low;
}

static __always_inline struct file_write file_write_read(const struct call_frame *frame, u32 call, s64 result) {
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    u64 fourth = SYSCALL_ARGUMENT_3(frame), fifth = SYSCALL_ARGUMENT_4(frame);
    if (call_copies(call)) return (struct file_write){third, 0, fifth, position_after(fourth, result)};
    if (call == CALL_SENDFILE) return (struct file_write){first, 0, fourth, -1};
    const bool is_positioned = call == CALL_PWRITE64 || call == CALL_PWRITEV || call == CALL_PWRITEV2;
    struct file_write write = {first, second, third, is_positioned ? position_passed(frame) : -1};
    // A struct iovec of 32 bits is another: how much was to be written is not known then.
    if (frame->narrow && call_has_pieces(call)) write.from = write.size_or_pieces = 0;
    return write;
}

// Fills the record that was begun; not static, so that the verifier looks at it once.
__noinline int first_write_message(u32 slot) {
    struct record *record = record_at(slot);
    if (!record) return 0;
    struct first_write_event *event = (void *)record->bytes;
    message_read(slot);
    struct message *message = &record->message;
    const u64 written = message->transferred;
    event->size = message->size < written ? written : message->size;
    message_data(slot, message_data_limit());
    event->data = record->message_data;
    event->data_truncated = event->data.length && event->data.length < written;
    return record_submit(record);
}

static __always_inline bool first_write_is_wanted(struct file *file) {
    struct filter filter;
    enum filter_choice choice = filter_begin(&filter, EVENT_FIRST_WRITE, 0);
    return choice == FILTER_EVERYTHING || (choice == FILTER_BY_KEYS && filter_passes_file(&filter, file));
}

static __always_inline int first_write_record(const struct call_frame *frame, const struct file_write *write,
                                              struct file *file, s64 result) {
    if (!event_seen(EVENT_FIRST_WRITE)) return 0;
    if (!first_write_is_wanted(file) || task_is_own()) return event_filtered(EVENT_FIRST_WRITE);
    if (governor_gives_up_file(EVENT_FIRST_WRITE, true, file)) return event_governed(EVENT_FIRST_WRITE);

    struct record *record;
    struct first_write_event *event = first_write_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->carrier = event->header.call;
    event->header.call = CALL_FIRST_WRITE;
    event->fd = write->fd;
    descriptor_read_with_path(record, &event->descriptor, file);
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    event->device = device_number(BPF_CORE_READ(inode, i_sb, s_dev));
    event->inode = BPF_CORE_READ(inode, i_ino);
    event->upper_layer = image_is_on_upper_layer(inode);
    event->position = write->position < 0 ? BPF_CORE_READ(file, f_pos) - result : write->position;
    record->call = (struct record_call){
        .arguments = {write->fd, write->from, write->size_or_pieces},
        .result = result,
        .call = event->carrier,
    };
    return first_write_message(record->slot);
}

SYSCALL_PROGRAM(first_write, EVENT_FIRST_WRITE, frame, result) {
    const u32 call = syscall_call(frame);
    if (call_opens(call))
        return result < 0 || open_only_reads(frame, call) ? 0 : opening_begin(descriptor_file(result));
    if (result <= 0) return 0;
    struct file_write write = file_write_read(frame, call, result);
    struct file *file = descriptor_file(write.fd);
    return opening_written_first(file) ? first_write_record(frame, &write, file, result) : 0;
}

// A ring's write, told as the call that does the same. Its file is known when it is done; its descriptor is not then.
static __always_inline int first_write_of_ring(struct io_kiocb *request, struct file *file, s32 fd, s64 result) {
    if (!opening_written_first(file)) return 0;
    struct ring_call ring = {.task = ring_task(request)};
    struct file_write write = {.fd = fd};
    if (BPF_CORE_READ(request, opcode) == RING_SPLICE) {
        struct io_splice *splice = (void *)&request->cmd;
        ring.call = CALL_SPLICE;
        write.size_or_pieces = BPF_CORE_READ(splice, len);
        write.position = BPF_CORE_READ(splice, off_out);
    } else {
        struct io_rw *rw = (void *)&request->cmd;
        ring.call = BPF_CORE_READ(request, opcode) == RING_WRITEV ? CALL_PWRITEV : CALL_PWRITE64;
        write.from = BPF_CORE_READ(rw, addr);
        write.size_or_pieces = BPF_CORE_READ(rw, len);
        write.position = BPF_CORE_READ(rw, kiocb.ki_pos);
    }
    // It has moved on by now.
    if (write.position >= 0) write.position -= result;
    struct call_frame frame = {.ring = &ring};
    return first_write_record(&frame, &write, file, result);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(ring_done_first_write, void *ring_of_request, void *done) {
    if (!bpf_core_type_exists(struct io_cmd_data)) return 0;
    struct io_kiocb *request = done;
    s64 result = BPF_CORE_READ(request, cqe.res);
    return result > 0 ? first_write_of_ring(request, BPF_CORE_READ(request, cmd.file), -1, result) : 0;
}

// Of one that keeps its success to itself.
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(ring_submitted_first_write, void *submitted) {
    if (!bpf_core_type_exists(struct io_cmd_data)) return 0;
    struct io_kiocb *request = submitted;
    s32 fd = BPF_CORE_READ(request, cqe.fd);
    return first_write_of_ring(request, descriptor_file(fd), fd, 0);
}
