"""Kind 7: processes that the C code makes."""

import signal

from own_c.corpus.example import example


@example("fork.c")
def fork(own):
    said = own.hello()
    yield own.output, said
    yield own.leave(7)
    yield own.leave(300)
    yield own.counted()


@example("pipes.c")
def pipes(own):
    yield own.ask(3000)
    yield own.sum_of_children(4)


@example("shared_memory.c")
def shared_memory(own):
    yield own.count(3, 500)
    yield own.killed(signal.SIGKILL)
    yield own.killed(signal.SIGTERM)


@example("programs.c")
def programs(own):
    into = bytearray(b"............")
    yield own.shell(b"exit 3")
    status = own.shell(b"echo said by a shell")
    yield own.output, status
    yield own.output_of(b"printf 'a\\377b'", into, 12)
    yield into
    status = own.run()
    yield own.output, status
