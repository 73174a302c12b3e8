"""A TCP proxy on loopback that delays what passes, as a long line does: bytes arrive later, and none waits for others.

    python3 -m bench.proxy SOCKET MILLISECONDS

Prints its port. SOCKET is the path of a unix socket, or HOST:PORT; MILLISECONDS are those of a round trip. Connecting
costs a round trip as well. Ends when its standard input does.
"""

import asyncio
import socket
import sys


async def deliver(reader, writer, delay):
    """Hands on what one side sends, in order, each piece `delay` seconds after it came."""
    clock = asyncio.get_running_loop().time
    pieces = asyncio.Queue()

    async def receive():
        while piece := await reader.read(65536):
            pieces.put_nowait((clock() + delay, piece))
        pieces.put_nowait((clock() + delay, b""))

    receiving = asyncio.create_task(receive())
    try:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - clock())
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()
    except (OSError, RuntimeError):
        writer.close()
    finally:
        receiving.cancel()


async def serve(target, delay):
    async def accept(reader, writer):
        # The answer to a SYN takes a round trip; loopback has none.
        await asyncio.sleep(2 * delay)
        try:
            if target.startswith("/"):
                far_reader, far_writer = await asyncio.open_unix_connection(target)
            else:
                host, port = target.rsplit(":", 1)
                far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                deliver(reader, far_writer, delay), deliver(far_reader, writer, delay), return_exceptions=True
            )
        finally:
            far_writer.close()
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    for listening in server.sockets:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]) / 2000))
