"""The ends of WebSocket connections that python3-websockets makes, told what to do by lines of JSON on stdin.

Each line is a call, {"id", "call", ...arguments}; the answer is a line {"id", "result"} or {"id", "error"}.
"""

import asyncio
import json
import ssl
import sys

import websockets

peers = []
servers = []


def common(deflate, protocols):
    return {
        "compression": "deflate" if deflate else None,
        "subprotocols": protocols or None,
        "max_size": None,
        "ping_interval": None,
    }


def add(peer):
    peers.append(peer)
    return {"peer": len(peers) - 1, "protocol": peer.subprotocol or ""}


async def echo(peer):
    try:
        async for message in peer:
            await peer.send(message)
    except websockets.ConnectionClosed:
        pass


async def connect(url, deflate, protocols, ca):
    context = ssl.create_default_context(cafile=ca) if url.startswith("wss:") else None
    peer = await websockets.connect(url, ssl=context, **common(deflate, protocols))
    asyncio.ensure_future(echo(peer))
    return add(peer)


async def listen(deflate, protocols, certificate):
    arrived = asyncio.get_running_loop().create_future()

    async def handle(peer, path=None):
        arrived.set_result(add(peer))
        await echo(peer)

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    server = await websockets.serve(
        handle, "127.0.0.1", 0, ssl=context, **common(deflate, protocols)
    )
    servers.append(arrived)
    return {"server": len(servers) - 1, "port": server.sockets[0].getsockname()[1]}


async def accept(server):
    return await servers[server]


async def send_parts(peer, parts):
    await peers[peer].send(parts)


async def ping(peer, payload):
    await (await peers[peer].ping(payload))
    return payload


async def close(peer, code, reason):
    await peers[peer].close(code, reason)


async def closed(peer):
    await peers[peer].wait_closed()
    return {"code": peers[peer].close_code, "reason": peers[peer].close_reason}


CALLS = {
    function.__name__: function
    for function in (connect, listen, accept, send_parts, ping, close, closed)
}


async def answer(call):
    identifier, name = call.pop("id"), call.pop("call")
    try:
        line = {"id": identifier, "result": await CALLS[name](**call)}
    except Exception as error:
        line = {"id": identifier, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(line), flush=True)


async def main():
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader(limit=2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    tasks = set()
    while line := await stdin.readline():
        task = asyncio.ensure_future(answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
