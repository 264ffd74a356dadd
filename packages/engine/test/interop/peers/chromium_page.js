// What the page of the tests runs: WebSockets that send back what they receive, by number.
const sockets = [];

globalThis.peers = {
  /** @returns the number of the socket and its subprotocol, once it is open */
  connect(url, protocols) {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => socket.send(data);
    const closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    const peer = sockets.push({ socket, closed }) - 1;
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve({ peer, protocol: socket.protocol });
      socket.onerror = () => reject(new Error(`No connection to ${url}`));
    });
  },

  close(peer, ...closing) {
    sockets[peer].socket.close(...closing);
  },

  closed: (peer) => sockets[peer].closed,
};
