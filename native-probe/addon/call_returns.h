// The programs for system calls, moved from where all calls return to the ends of the functions that are wanted.
//
// One program can be attached to one function, so the dispatching one is loaded again for each. Programs that call one
// another must be for functions of the same signature (28ead3eaabc1): each signature has programs of the types, and an
// array of them, of its own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "call_functions.h"

struct bpf_object;
struct bpf_program;

namespace nightjar {

struct Attachment {
    std::string program;
    // Where, e.g. "tp_btf/sys_exit".
    std::string point;
    // 0, or the errno of the refusal; ENOENT where the kernel was built without the place.
    int error;
};

class CallReturns {
  public:
    // Has the programs of an opened object, not loaded yet, be loaded for one of the functions.
    CallReturns(bpf_object *object, std::vector<CallFunction> functions);
    CallReturns(const CallReturns &) = delete;
    CallReturns &operator=(const CallReturns &) = delete;
    ~CallReturns();

    // Once the object is loaded and its array is filled: loads the others. Throws LoadError.
    void load();
    // One answer for all that worked, and one for each that did not.
    std::vector<Attachment> attach();
    // Descriptors of what it made, as long as it lives; links once they are attached.
    std::vector<int> programs() const;
    std::vector<int> links() const;
    const std::vector<int> &arrays() const { return arrays_; }
    // Adds what it made to a set of pins. Throws LoadError.
    void pin(const std::string &folder) const;
    void detach();
    // What was attached by whoever pinned the set; empty where nothing was attached this way.
    static std::vector<Attachment> pinned_attachments(const std::string &folder);

  private:
    int load_again(const bpf_program *program, const CallFunction &function, int array) const;
    int make_array(const std::vector<const CallFunction *> &functions);

    bpf_object *object_;
    // The first is the one that the object's own programs are for.
    std::vector<CallFunction> functions_;
    // The dispatching programs and, once attached, their links, by function.
    std::map<std::string, int> programs_;
    std::map<std::string, int> links_;
    std::vector<int> arrays_;
    // What is in them.
    std::vector<int> type_programs_;
};

} // namespace nightjar
