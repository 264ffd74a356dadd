// The chat itself, whatever framework it is served by: who is called what, and what happens on a socket.
const { randomUUID } = require('node:crypto');
const { Rooms } = require('./rooms');
const { InputError, readMessage, readName } = require('./rules');

/** Close code that tells the page not to come back before a new login (4000-4999 are ours to define). */
const LOGGED_OUT = 4001;

/** How long a session lives after its last request, in milliseconds. */
const LIFETIME = 8 * 60 * 60 * 1000;

class Chat {
  rooms = new Rooms();
  /** Where this chat is served: `{ name, port }` of each framework. */
  sites = [];

  /**
   * Takes a name for somebody; who had another one leaves as that.
   *
   * @param {unknown} typed as the form has it
   * @param {string} site the framework through which they came
   * @param {{ id: string, name: string }} [before] who the session was
   */
  logIn(typed, site, before) {
    const name = readName(typed);
    if (this.rooms.isTaken(name, before)) {
      throw new InputError(`${name} is in the chat already. Choose another name.`, 409);
    }
    this.logOut(before);
    return { id: randomUUID(), name, site };
  }

  /** Closes all sockets of a person, on every site. */
  logOut(person) {
    if (person) this.rooms.dismiss(person, LOGGED_OUT, 'Logged out');
  }

  /**
   * What happens on a socket from the first message to the last: the same under each framework, for all of them hand over
   * the same WebSocket.
   *
   * @param {number} [lifetime] of the session, in milliseconds: the socket must not outlive it
   */
  converse(ws, person, roomName, lifetime = LIFETIME) {
    const room = this.rooms.enter(roomName, ws, person);
    // The session was checked once, when the socket opened.
    const expiry = setTimeout(() => ws.close(LOGGED_OUT, 'Session expired'), lifetime);

    ws.on('message', (data) => {
      try {
        room.say(person, readMessage(data));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        ws.send(JSON.stringify({ type: 'error', error: error.message }));
      }
    });
    ws.on('close', () => {
      clearTimeout(expiry);
      this.rooms.leave(room, ws);
    });
  }
}

/** Options of every site's WebSocket routes. The longest message, with every character escaped, is well below 8 KiB. */
const WEBSOCKETS = { maxPayload: 8 * 1024 };

module.exports = { Chat, LIFETIME, LOGGED_OUT, WEBSOCKETS };
