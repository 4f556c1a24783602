"""A seccomp filter that refuses one system call: for a child process, set before it starts its program."""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
RETURN_ERRNO, RETURN_ALLOW = 0x0005_0000, 0x7FFF_0000
# The same numbers on every architecture.
IO_URING = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse(system_call, errno):
    """Makes the system call fail with `errno` in this process and what it starts. Cannot be undone."""
    instructions = b"".join(struct.pack("=HBBI", *instruction) for instruction in [
        (LOAD_WORD | 0, 0, 0, 0),  # the call's number is the first word of seccomp_data
        (JUMP_IF_EQUAL, 0, 1, system_call),
        (RETURN, 0, 0, RETURN_ERRNO | errno),
        (RETURN, 0, 0, RETURN_ALLOW),
    ])
    program = Program(len(instructions) // 8, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)):
        raise OSError(ctypes.get_errno(), "no seccomp filter could be set")


def prefix(system_call, errno):
    """What to put in front of a command that is to run so."""
    return [sys.executable, os.path.abspath(__file__), str(system_call), str(errno)]


if __name__ == "__main__":
    refuse(int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
